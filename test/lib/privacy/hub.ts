import { gunzipSync } from 'node:zlib';
import { grant, onAccount } from '#lib/credits/credits.ts';
import { accept, type SendRequest } from '#lib/sender/accept.ts';
import { defaultConfig } from '#lib/sender/config.ts';
import { readSend } from '#lib/sender/items.ts';
import { type Ending, settling } from '#lib/sender/settle.ts';
import { accountKey, sendKey } from '#lib/store/keys.ts';
import { add, exists, type Item, put, set, update } from '#lib/store/store.ts';
import { AdminBench } from '#test/functions/admin/admin-bench.ts';
import { MemoryStore } from '#test/support/memory-store.ts';
import { underRole } from '#test/support/under-role.ts';

export const DIGITS = '79876543210';
export const PERSON = `+${DIGITS}`;
export const OTHER = '+15550100';
/** Holds the person's digits and is somebody else's. */
export const LONGER = `+1${DIGITS}`;

/** A hub with one account and a webhook for each provider named, in memory. */
export class ErasureHub extends AdminBench {
  readonly memory: MemoryStore;
  #transactions = 0;

  constructor(memory = new MemoryStore()) {
    super({ store: memory });
    this.memory = memory;
  }

  async account(workspace = 'main', more: object = {}): Promise<string> {
    const body = { provider: 'sandbox', channel: 'whatsapp', credentials: {}, phone: '+15550111', ...more };
    const { id } = await this.done('POST', '/api/accounts', { workspace, body });
    await grant(this.ports, workspace, { credits: 100, reason: 'a test' }, defaultConfig);
    return String(id);
  }

  /** A send that is accepted, and settled if `ending` says how. */
  async accepted(
    account: string,
    recipient: SendRequest['recipient'],
    text: string,
    ending?: Ending,
    workspace = 'main',
  ) {
    const ports = { ...this.ports, store: underRole(this.memory, 'send'), ticks: { send: async () => undefined } };
    const request = { workspace, account, recipient, parts: [{ kind: 'text', text }] } as const;
    const accepted = await accept(request, ports, defaultConfig);
    if (accepted.kind !== 'accepted') throw new Error(accepted.kind);
    const { messageId } = accepted;
    if (ending) await this.#settle(messageId, ending);
    return messageId;
  }

  async #settle(messageId: string, ending: Ending): Promise<void> {
    const called = update(sendKey(messageId), [set(['parts', 0, 'state'], 'sending')], exists());
    const { item } = await this.memory.write(called, { returns: 'new' });
    if (!item) throw new Error('no send');
    const send = readSend(item);
    const { writes, leaving, spending } = settling(send, [0], ending, this.ports.clock.now());
    const account = [add('pending', -leaving), ...onAccount(send.epoch, spending)];
    const all = [update(accountKey(send.accountId), account, exists()), ...writes];
    const { done } = await this.memory.transact(all, `settle-${this.#transactions++}`);
    if (!done) throw new Error('not settled');
  }
}

/** The items of a table by partition, each partition as one readable text: what is compressed or in chunks unpacked. */
export function textsByPartition(items: readonly Item[]): Map<string, string> {
  const partitions = Map.groupBy(items, ({ pk }) => pk);
  return new Map([...partitions].map(([pk, found]) => [pk, textOf(found)]));
}

function textOf(items: readonly Item[]): string {
  const sorted = [...items].sort((a, b) => (a.sk < b.sk ? -1 : 1));
  const chunks = Map.groupBy(
    sorted.filter(({ data }) => data instanceof Uint8Array),
    ({ sk }) => sk.slice(0, sk.lastIndexOf('#')),
  );
  const whole = [...chunks.values()].map((parts) =>
    readable(Buffer.concat(parts.flatMap(({ data }) => (data instanceof Uint8Array ? [data] : [])))),
  );
  return [...sorted.map(({ data, ...item }) => JSON.stringify(item, readableBytes)), ...whole].join('\n');
}

function readableBytes(_key: string, value: unknown): unknown {
  return value instanceof Uint8Array ? readable(value) : value;
}

function readable(bytes: Uint8Array): string {
  const isZipped = bytes[0] === 0x1f && bytes[1] === 0x8b;
  return Buffer.from(isZipped ? gunzipSync(bytes) : bytes).toString('utf8');
}

/** Said in other words than the code says it: the digits, and nothing but digits' ends around them. */
export function names(text: string, digits = DIGITS): boolean {
  const plain = text.replaceAll(/%2[bB]|%20|\\u002b/g, '+').replaceAll(/[ ()-]/g, '');
  return plain.split(digits).length > 1 && new RegExp(`(^|[^0-9])(00)?${digits}([^0-9]|$)`).test(plain);
}

/** A copy of the table: each run of an experiment begins with the same one. */
export async function copyOf(items: readonly Item[]): Promise<MemoryStore> {
  const store = new MemoryStore();
  await store.writeMany(items.map((item) => put(item)));
  return store;
}

/** Every item as text, bytes as base64, so that two tables can be compared. */
export function snapshot(store: MemoryStore): Map<string, string> {
  const exact = (_key: string, value: unknown) =>
    value instanceof Uint8Array ? Buffer.from(value).toString('base64') : value;
  const entries = store.all().map((item) => [`${item.pk} ${item.sk}`, JSON.stringify(item, exact)] as const);
  return new Map(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}
