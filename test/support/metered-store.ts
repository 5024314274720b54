import type { Check, Delete, Item, Key, Put, Transacted, Update, Written } from '#lib/store/store.ts';
import { sizeOf } from './item-size.ts';
import { keyOf, MemoryStore } from './memory-store.ts';

const UNIT_BYTES = 1_024;
const IN_TRANSACTION = 2;

/** A memory store that counts what DynamoDB would charge for writing to the base table; a refused write costs, too. */
export class MeteredStore extends MemoryStore {
  units = 0;
  requests = 0;

  override async write(write: Put | Update | Delete, options?: { readonly returns?: 'new' }): Promise<Written> {
    const before = this.peek(keyOf(write));
    const written = await super.write(write, options);
    this.requests += 1;
    this.units += this.#cost(keyOf(write), before);
    return written;
  }

  override async transact(
    writes: readonly (Put | Update | Delete | Check)[],
    token: string | undefined,
  ): Promise<Transacted> {
    const before = writes.map((write) => this.peek(keyOf(write)));
    const transacted = await super.transact(writes, token);
    this.requests += 1;
    writes.forEach((write, i) => {
      this.units += IN_TRANSACTION * this.#cost(keyOf(write), before[i]);
    });
    return transacted;
  }

  #cost(key: Key, before: Item | undefined): number {
    return Math.max(1, ...[before, this.peek(key)].map((item) => (item ? Math.ceil(sizeOf(item) / UNIT_BYTES) : 0)));
  }
}
