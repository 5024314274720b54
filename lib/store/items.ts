import type * as v from 'valibot';
import { checked } from '#lib/domain/schema.ts';
import type { Item, Key } from './store.ts';

/**
 * How every item of the table is read. Nothing in it comes from outside, so one that is not what it should be is a fault
 * of ours and throws: by its key and by paths, for the item itself may hold names, numbers and texts, and the error ends
 * up in the log.
 */
export function itemReader<Schema extends v.GenericSchema>(schema: Schema) {
  return (item: Item): v.InferOutput<Schema> =>
    checked(schema, item, () => `a damaged item in the table: ${shownKey(item)}`);
}

/** For a walk that one damaged item must not keep from all that lies behind it. */
export function unlessDamaged(cause: unknown): undefined {
  if (!(cause instanceof TypeError)) throw cause;
}

export interface Readable<One> {
  readonly items: readonly One[];
  /** What cannot be read, each as the error tells of it. */
  readonly damaged: readonly string[];
}

/** A list, in which one damaged item must not keep all others from being shown. */
export function readEach<One>(items: readonly Item[], read: (item: Item) => One): Readable<One> {
  const damaged: string[] = [];
  const readable = items.flatMap((item) => {
    try {
      return [read(item)];
    } catch (cause) {
      unlessDamaged(cause);
      damaged.push(cause instanceof Error ? cause.message : String(cause));
      return [];
    }
  });
  return { items: readable, damaged };
}

/** What we make ourselves: words in capitals, random and derived ids, hashes, times, and the first workspace. */
const OURS = /^(?:[A-Z]+|main|(?:[a-z]+[_:])+[0-9A-Fa-f]{20,}|[0-9a-f]{64}|\d{4}-\d\d-\d\dT[\d:.]+Z|\d{1,3})$/;

/** A key for a log. A part of it may be a provider's id, and that a number or an address: its last four characters tell enough. */
export function shownKey({ pk, sk }: Key): string {
  return [pk, sk].map((key) => key.split('#').map(shownPart).join('#')).join(' ');
}

const shownPart = (part: string): string => (OURS.test(part) ? part : `…${part.slice(-4)}`);
