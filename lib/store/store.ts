import type { Random } from '#lib/domain/ports.ts';

/**
 * The one storage port. Conditions and changes are data, so that the same write plan runs on DynamoDB in production
 * and on a map in a simulation, and a missing condition is missing in both.
 */

export type Value = string | number | boolean | null | Uint8Array | readonly Value[] | ValueMap;
export interface ValueMap {
  readonly [name: string]: Value | undefined;
}

export interface Key {
  readonly pk: string;
  readonly sk: string;
}
export type Item = Key & ValueMap;

/** An attribute, or a place inside one: `'gen'`, `['parts', 0, 'state']`. */
export type Path = string | readonly (string | number)[];

/** A comparison with an attribute that is missing is false, whatever the operator: as in DynamoDB. */
export type Condition =
  | { readonly kind: 'exists'; readonly path: Path }
  | { readonly kind: 'absent'; readonly path: Path }
  | { readonly kind: 'compare'; readonly path: Path; readonly op: Comparison; readonly value: Value }
  | { readonly kind: 'all'; readonly of: readonly Condition[] }
  | { readonly kind: 'any'; readonly of: readonly Condition[] };
/** `<>` is left out: with a missing attribute it would be true, against the rule above. */
export type Comparison = '=' | '<' | '<=' | '>' | '>=';

export type Change =
  | { readonly kind: 'set'; readonly path: Path; readonly value: Value }
  /** Set unless the attribute has a value already. */
  | { readonly kind: 'setIfAbsent'; readonly path: Path; readonly value: Value }
  /** Adds to a number; a missing one counts as 0. */
  | { readonly kind: 'add'; readonly path: Path; readonly by: number }
  | { readonly kind: 'append'; readonly path: Path; readonly values: readonly Value[] }
  | { readonly kind: 'remove'; readonly path: Path };

export interface Put {
  readonly kind: 'put';
  readonly item: Item;
  readonly if?: Condition;
}
export interface Update {
  readonly kind: 'update';
  readonly key: Key;
  readonly changes: readonly Change[];
  readonly if?: Condition;
}
export interface Delete {
  readonly kind: 'delete';
  readonly key: Key;
  readonly if?: Condition;
}
/** What changes an item. */
export type Write = Put | Update | Delete;
export interface Check {
  readonly kind: 'check';
  readonly key: Key;
  readonly if: Condition;
}

/** `item`: after an update that was done, the new item; after a refusal, the item that stood in the way, if any. */
export type Written = { readonly done: true; readonly item?: Item } | { readonly done: false; readonly item?: Item };

/** `refused[i]` is set where the condition of write `i` failed, with the item that it met. */
export type Transacted =
  | { readonly done: true }
  | { readonly done: false; readonly refused: readonly ({ readonly item?: Item } | undefined)[] };

export interface Query {
  readonly index?: 'gsi1' | 'gsi2' | 'gsi3';
  readonly pk: string;
  /** Bounds of the sort key: `prefix` alone, or `from` (inclusive) and `before` (exclusive). */
  readonly prefix?: string;
  readonly from?: string;
  readonly before?: string;
  readonly filter?: Condition;
  readonly limit: number;
  readonly descending?: boolean;
  /** Indexes are never consistent. */
  readonly consistent?: boolean;
  /** `next` of the page before. */
  readonly start?: ValueMap;
}
export interface Page {
  readonly items: readonly Item[];
  /** Absent on the last page. A page may be empty and still have a next one. */
  readonly next?: ValueMap;
}

export interface Store {
  get(key: Key, options?: { readonly consistent?: boolean }): Promise<Item | undefined>;
  /** In no order; what does not exist is left out. At most 100 keys. */
  getMany(keys: readonly Key[], options?: { readonly consistent?: boolean }): Promise<readonly Item[]>;
  query(query: Query): Promise<Page>;
  /** One conditional write. `returns: 'new'` asks an update for the item as it is afterwards. */
  write(write: Write, options?: { readonly returns?: 'new' }): Promise<Written>;
  /**
   * All or nothing, each item once, at most 100 writes. The same token within 10 minutes is the same transaction. Without
   * one (said by `undefined`) the conditions have to refuse a repeat.
   */
  transact(writes: readonly (Write | Check)[], token: string | undefined): Promise<Transacted>;
  /** Unconditional puts and deletes, each by itself: a fault may leave some undone, so it must be safe to repeat. */
  writeMany(writes: readonly (Put | Delete)[]): Promise<void>;
}

/**
 * The store did not do it, or we cannot know whether it did: conflict, throttling, timeout, no connection. `refused`: it
 * will not do it for us until somebody changes something, as a permission; to try again at once is of no use.
 */
export class StoreUnavailable extends Error {
  override readonly name = 'StoreUnavailable';
  readonly reason: 'conflict' | 'throttled' | 'unreachable' | 'refused';

  constructor(reason: StoreUnavailable['reason'], options?: ErrorOptions) {
    super(`the table did not take the request: ${reason}`, options);
    this.reason = reason;
  }
}

export const exists = (path: Path = 'pk'): Condition => ({ kind: 'exists', path });
export const absent = (path: Path = 'pk'): Condition => ({ kind: 'absent', path });
export const compare = (path: Path, op: Comparison, value: Value): Condition => ({ kind: 'compare', path, op, value });
export const equal = (path: Path, value: Value): Condition => compare(path, '=', value);
export const all = (...of: readonly Condition[]): Condition => ({ kind: 'all', of });
export const any = (...of: readonly Condition[]): Condition => ({ kind: 'any', of });

/** These attributes are still as they were read; undefined: absent. */
export const unchanged = (read: ValueMap): Condition =>
  all(...Object.entries(read).map(([name, value]) => (value === undefined ? absent(name) : equal(name, value))));

export const set = (path: Path, value: Value): Change => ({ kind: 'set', path, value });
export const setIfAbsent = (path: Path, value: Value): Change => ({ kind: 'setIfAbsent', path, value });
export const add = (path: Path, by: number): Change => ({ kind: 'add', path, by });
export const append = (path: Path, ...values: readonly Value[]): Change => ({ kind: 'append', path, values });
export const remove = (path: Path): Change => ({ kind: 'remove', path });
export const setOrRemove = (path: Path, value: Value | undefined): Change =>
  value === undefined ? remove(path) : set(path, value);
/** As somebody asks for a change: `undefined` leaves a value as it is, `null` takes it away. */
export const patching = (values: Readonly<Record<string, Value | undefined>>): Change[] =>
  Object.entries(values).flatMap(([name, value]) => (value === undefined ? [] : setOrRemove(name, value ?? undefined)));

/** TTL deletes late: what has run out is gone for a reader, whatever the table still holds. */
export const isLive = (item: Item, nowSeconds: number): boolean =>
  typeof item.expiresAt !== 'number' || item.expiresAt > nowSeconds;

/** What has run out counts as absent, even while the table still holds it: TTL deletes late. Seconds since the epoch. */
export const absentOrExpired = (nowSeconds: number): Condition => any(absent(), compare('expiresAt', '<=', nowSeconds));

export const put = (item: Item, condition?: Condition): Put =>
  condition ? { kind: 'put', item, if: condition } : { kind: 'put', item };
export const update = (key: Key, changes: readonly Change[], condition?: Condition): Update =>
  condition ? { kind: 'update', key, changes, if: condition } : { kind: 'update', key, changes };
export const del = (key: Key, condition?: Condition): Delete =>
  condition ? { kind: 'delete', key, if: condition } : { kind: 'delete', key };
export const check = (key: Key, condition: Condition): Check => ({ kind: 'check', key, if: condition });

/** A token that names one logical write: its repeats carry the same one and are not done twice. */
export function newTransaction(random: Random): string {
  return Buffer.from(random.bytes(16)).toString('hex');
}
