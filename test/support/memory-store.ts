import { isDeepStrictEqual } from 'node:util';
import type {
  Check,
  Delete,
  Item,
  Key,
  Page,
  Put,
  Query,
  Store,
  Transacted,
  Update,
  Value,
  Written,
} from '#lib/store/store.ts';
import { sizeOf } from './item-size.ts';
import { changed, holds } from './memory-expressions.ts';

type Write = Put | Update | Delete | Check;

export interface Commit {
  readonly before: Item | undefined;
  readonly after: Item | undefined;
}

export interface MemoryStoreOptions {
  /** Milliseconds since the epoch; for the ten minutes of a transaction's token. */
  readonly now?: () => number;
  /** Asked at each read that is not consistent, for each item: true shows the item as it was before its last change. */
  readonly isStale?: () => boolean;
  readonly onCommit?: (commits: readonly Commit[]) => void;
}

/** An item as it was before its last change; `order`: when it was changed first, among all. */
interface Earlier {
  readonly item: Item | undefined;
  readonly order: number;
}

const TOKEN_LIVES_MS = 600_000;
const MOST_WRITES = 100;
const LONGEST_TOKEN = 36;
const LONGEST_KEY = { pk: 2048, sk: 1024 };
/** In bytes. */
const LARGEST_ITEM = 400 * 1_024;

const nameOf = ({ pk, sk }: Key): string => `${pk}\u0000${sk}`;
export const keyOf = (write: Write): Key =>
  write.kind === 'put' ? { pk: write.item.pk, sk: write.item.sk } : write.key;

/** DynamoDB on a map, as far as the storage port reaches: what it refuses there is refused here. */
export class MemoryStore implements Store {
  readonly #partitions = new Map<string, Map<string, Item>>();
  /** By index and key, what it holds: a large table must not be gone through for each query. */
  readonly #indexed = new Map<string, Map<string, Item>>();
  readonly #earlier = new Map<string, Earlier>();
  /** By key and by index and key: the names of what was there before its last change. */
  readonly #left = new Map<string, Set<string>>();
  readonly #tokens = new Map<string, { readonly at: number; readonly writes: readonly Write[] }>();
  readonly #options: MemoryStoreOptions;

  constructor(options: MemoryStoreOptions = {}) {
    this.#options = options;
  }

  async get(key: Key, options?: { readonly consistent?: boolean }): Promise<Item | undefined> {
    return this.#read(key, options?.consistent);
  }

  async getMany(keys: readonly Key[], options?: { readonly consistent?: boolean }): Promise<readonly Item[]> {
    if (keys.length > MOST_WRITES) throw new Error(`too many keys: ${keys.length}`);
    if (new Set(keys.map(nameOf)).size !== keys.length) throw new Error('a key was asked for twice');
    return keys.flatMap((key) => this.#read(key, options?.consistent) ?? []);
  }

  async query(query: Query): Promise<Page> {
    if (query.index && query.consistent) throw new Error('an index cannot be read consistently');
    const sk = query.index ? `${query.index}sk` : 'sk';
    checkKey({ pk: query.pk, sk: '' });
    const sorted = this.#visible(query)
      .filter((item) => isWithin(item[sk], query))
      .sort((a, b) => (order(a[sk], b[sk]) || order(a.pk, b.pk) || order(a.sk, b.sk)) * (query.descending ? -1 : 1));
    const { start } = query;
    const rest = start
      ? sorted.slice(sorted.findIndex((item) => item.pk === start.pk && item.sk === start.sk) + 1)
      : sorted;
    const evaluated = rest.slice(0, query.limit);
    const last = evaluated.at(-1);
    const items = evaluated.filter((item) => !query.filter || holds(query.filter, item));
    return evaluated.length === query.limit && last ? { items, next: { pk: last.pk, sk: last.sk } } : { items };
  }

  async write(write: Put | Update | Delete, options?: { readonly returns?: 'new' }): Promise<Written> {
    checkKey(keyOf(write));
    const before = this.peek(keyOf(write));
    if (write.if && !holds(write.if, before)) return { done: false, ...(before ? { item: before } : {}) };
    const after = applied(write, before);
    this.#commit([{ before, after }]);
    return options?.returns === 'new' && write.kind === 'update' && after
      ? { done: true, item: after }
      : { done: true };
  }

  async transact(writes: readonly Write[], token: string | undefined): Promise<Transacted> {
    if (token !== undefined && this.#isRepeat(writes, token)) return { done: true };
    if (writes.length > MOST_WRITES) throw new Error(`too many writes: ${writes.length}`);
    if (new Set(writes.map((write) => nameOf(keyOf(write)))).size !== writes.length) {
      throw new Error('a transaction touches an item once');
    }
    for (const write of writes) checkKey(keyOf(write));
    const refused = writes.map((write) => {
      const before = this.peek(keyOf(write));
      return write.if && !holds(write.if, before) ? { ...(before ? { item: before } : {}) } : undefined;
    });
    if (refused.some((refusal) => refusal !== undefined)) return { done: false, refused };
    const commits = writes.flatMap((write) => {
      const before = this.peek(keyOf(write));
      return write.kind === 'check' ? [] : [{ before, after: applied(write, before) }];
    });
    if (token !== undefined) this.#tokens.set(token, { at: this.#now(), writes });
    this.#commit(commits);
    return { done: true };
  }

  async writeMany(writes: readonly (Put | Delete)[]): Promise<void> {
    for (const write of writes) await this.write(write);
  }

  /** For tests: the item as it is. */
  peek(key: Key): Item | undefined {
    return this.#partitions.get(key.pk)?.get(key.sk);
  }

  /** For tests: all that lies under one key. */
  partition(pk: string): Item[] {
    return [...(this.#partitions.get(pk)?.values() ?? [])];
  }

  /** For tests: everything. */
  all(): Item[] {
    return [...this.#partitions.values()].flatMap((partition) => [...partition.values()]);
  }

  #now(): number {
    return this.#options.now?.() ?? 0;
  }

  #read(key: Key, consistent = false): Item | undefined {
    checkKey(key);
    const name = nameOf(key);
    const isStale = !consistent && this.#earlier.has(name) && this.#options.isStale?.();
    return isStale ? this.#earlier.get(name)?.item : this.peek(key);
  }

  #visible({ index, pk, consistent = false }: Query): Item[] {
    const by = index ? `${index}pk` : 'pk';
    const partition = index ? this.#indexed.get(`${index} ${pk}`) : this.#partitions.get(pk);
    const current = [...(partition?.values() ?? [])];
    if (consistent || !this.#options.isStale) return current;
    const named = new Map(current.map((item) => [nameOf(item), item]));
    const names = new Set([...named.keys(), ...(this.#left.get(index ? `${index} ${pk}` : pk) ?? [])]);
    const changed = [...names].flatMap((name) => {
      const earlier = this.#earlier.get(name);
      return earlier ? [{ name, ...earlier }] : [];
    });
    for (const { name, item } of changed.sort((a, b) => a.order - b.order)) {
      if (!this.#options.isStale()) continue;
      if (item?.[by] === pk) named.set(name, item);
      else named.delete(name);
    }
    return [...named.values()];
  }

  #isRepeat(writes: readonly Write[], token: string): boolean {
    if (token === '' || token.length > LONGEST_TOKEN) throw new Error('a token has 1 to 36 characters');
    const earlier = this.#tokens.get(token);
    if (!earlier || this.#now() - earlier.at > TOKEN_LIVES_MS) return false;
    if (!isDeepStrictEqual(earlier.writes, writes)) throw new Error('a token was used for two transactions');
    return true;
  }

  #commit(commits: readonly Commit[]): void {
    for (const { before, after } of commits) {
      const item = after ?? before;
      if (!item) continue;
      this.#remember(nameOf(item), before);
      const partition = this.#partitions.get(item.pk) ?? new Map<string, Item>();
      this.#partitions.set(item.pk, partition);
      if (after) partition.set(item.sk, after);
      else partition.delete(item.sk);
      this.#index(before, after);
    }
    this.#options.onCommit?.(commits);
  }

  #remember(name: string, before: Item | undefined): void {
    const last = this.#earlier.get(name);
    for (const place of placesOf(last?.item)) this.#left.get(place)?.delete(name);
    this.#earlier.set(name, { item: before, order: last?.order ?? this.#earlier.size });
    for (const place of placesOf(before)) this.#left.set(place, (this.#left.get(place) ?? new Set()).add(name));
  }

  #index(before: Item | undefined, after: Item | undefined): void {
    for (const index of INDEXES) {
      const [left, entered] = [before, after].map((item) => item?.[`${index}pk`]);
      if (before && left !== undefined && left !== entered)
        this.#indexed.get(`${index} ${left}`)?.delete(nameOf(before));
      if (!after || entered === undefined) continue;
      const name = `${index} ${entered}`;
      const held = this.#indexed.get(name) ?? new Map<string, Item>();
      this.#indexed.set(name, held.set(nameOf(after), after));
    }
  }
}

const INDEXES = ['gsi1', 'gsi2', 'gsi3'] as const;

/** Under which keys an item is found, by itself and in each index. */
function placesOf(item: Item | undefined): string[] {
  if (!item) return [];
  const indexed = INDEXES.flatMap((index) =>
    item[`${index}pk`] === undefined ? [] : [`${index} ${item[`${index}pk`]}`],
  );
  return [item.pk, ...indexed];
}

function checkKey({ pk, sk }: Key): void {
  if (Buffer.byteLength(pk) > LONGEST_KEY.pk || Buffer.byteLength(sk) > LONGEST_KEY.sk) {
    throw new Error('a key is too long');
  }
}

function applied(write: Put | Update | Delete, before: Item | undefined): Item | undefined {
  const after = written(write, before);
  if (after && sizeOf(after) > LARGEST_ITEM) throw new Error(`an item is too large: ${nameOf(after)}`);
  return after;
}

function written(write: Put | Update | Delete, before: Item | undefined): Item | undefined {
  switch (write.kind) {
    case 'put':
      return structuredClone(write.item);
    case 'delete':
      return undefined;
    case 'update':
      return changed(write.changes, before ?? { ...write.key });
  }
}

function isWithin(value: Value | undefined, { prefix, from, before }: Query): boolean {
  if (typeof value !== 'string') return false;
  if (prefix !== undefined && !value.startsWith(prefix)) return false;
  return (from === undefined || value >= from) && (before === undefined || value < before);
}

function order(left: Value | undefined, right: Value | undefined): number {
  if (typeof left !== 'string' || typeof right !== 'string' || left === right) return 0;
  return left < right ? -1 : 1;
}
