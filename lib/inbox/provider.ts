import * as v from 'valibot';
import type { Payload } from '#lib/domain/event.ts';
import type { Identity } from '#lib/domain/identity.ts';
import { isRecord, type Parsed } from '#lib/domain/json.ts';
import type { Log } from '#lib/domain/ports.ts';
import { type Issue, issuesOf } from '#lib/domain/schema.ts';

/** A request as the function received it. Header names are in lower case. */
export interface Delivery {
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: Uint8Array;
  readonly sourceIp?: string;
}

/** What a delivery brings along to tell who sent it. */
export interface Proof {
  /** SHA-256 in hex of what may be the secret that came with it, in the form in which it is compared. */
  readonly secretHashes?: readonly string[];
  /** The account at the provider that the body is about. */
  readonly instance?: string;
  /** Why the body could not be read, where it could not: nothing in it proves anything then. */
  readonly fault?: string;
}

/** One event as a provider's reader understood it, in our words. */
export interface Draft {
  readonly identity: Identity;
  readonly payload: Payload;
  /** The provider's time, in milliseconds since the epoch; undefined where it gives none. */
  readonly occurredAt?: number;
  /** True for "not readable yet": the real content may follow under the same identity and then replaces this. */
  readonly placeholder?: boolean;
}

/** Not understood: kept raw, in quarantine. `type` is the provider's name of the event, where it has one. */
export interface Unread {
  readonly type?: string;
  readonly issues: readonly Issue[];
}

/** `unread`: what was not understood beside the rest, of a body that holds several. */
export type Reading = { readonly drafts: readonly [Draft, ...Draft[]]; readonly unread?: Unread } | Unread;

/** Of a body that holds several: each is read by itself, so that one that is broken takes no other with it. */
export function together(readings: readonly Reading[]): Reading {
  const unread = readings.flatMap((reading) => ('issues' in reading ? [reading] : (reading.unread ?? [])));
  const [first, ...others] = readings.flatMap((reading) => ('drafts' in reading ? reading.drafts : []));
  const broken = unread[0] && { ...unread[0], issues: unread.flatMap(({ issues }) => issues) };
  if (!first) return broken ?? { issues: [{ path: '', message: 'is empty' }] };
  return { drafts: [first, ...others], ...(broken && { unread: broken }) };
}

/** Makes it when it is first asked for, and never again unless that failed. */
export function lazily<Made>(make: () => Made): () => Made {
  let made: { readonly value: Made } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}

/** What may be kept of a body, and what it is read as from then on. */
export interface Kept {
  readonly raw: Uint8Array;
  readonly parsed: () => Parsed<unknown>;
}

/** What a provider's folder supplies for receiving. Nothing in it touches a clock, a network or the table. */
export interface ReceivingProvider {
  readonly name: string;
  readonly parse: (body: Uint8Array, contentType: string) => Parsed<unknown>;
  /**
   * The provider's own proof that it is the sender; `body` is undefined where nothing could be parsed. Left out where
   * the URL is the only credential.
   */
  readonly proofOf?: (delivery: Delivery, body: unknown) => Proof;
  /** The body without its secret; `parsed`: it, with the secret. Left out where a body holds none. */
  readonly withoutSecret?: (body: Uint8Array, contentType: string, parsed?: () => Parsed<unknown>) => Kept;
  readonly read: (body: unknown) => Reading;
}

export type EventReader = (body: unknown, type: string) => Reading;

/**
 * Checks a body against its schema, then turns what was checked into one event or several; or into what is missing of
 * one, where one of several fields would have done and a schema cannot name it.
 */
export function reader<Schema extends v.GenericSchema>(
  schema: Schema,
  toDrafts: (body: v.InferOutput<Schema>, type: string) => Draft | Issue | readonly (Draft | Issue)[],
): EventReader {
  return (body, type) => {
    const result = v.safeParse(schema, body);
    if (!result.success) return { type, issues: issuesOf(result.issues) };
    const read = [toDrafts(result.output, type)].flat();
    return together(read.map((one) => ('path' in one ? { type, issues: [one] } : { drafts: [one] })));
  };
}

/** Looks the event's name up under `field` and hands the body to that event's reader; what is not in the table is quarantined. */
export function readByName(field: string, events: Readonly<Record<string, EventReader>>): (body: unknown) => Reading {
  return (body) => {
    if (!isRecord(body)) return { issues: [{ path: '', message: 'must be an object' }] };
    const type = body[field];
    if (typeof type !== 'string') return { issues: [{ path: field, message: 'is missing or not a text' }] };
    // `constructor` and `toString` are names, too.
    const read = Object.hasOwn(events, type) ? events[type] : undefined;
    if (!read) return { type, issues: [{ path: field, message: 'an event that is not known' }] };
    return read(body, type);
  };
}

/** Said instead of what went wrong inside. */
export const OUR_FAULT = { path: '', message: 'could not be processed; the fault is ours and the event is kept' };

/** A Lambda answers with 6 MB at most, and JSON writes a character as six. */
const LONGEST_SHOWN = 4 * 1024 * 1024;
const TOO_LONG = { path: '', message: 'is too long to be shown, with its control characters spelled out; read it raw' };

/**
 * What a delivery is read as, whichever way it came: a delivery that takes another way must be read alike, or the id
 * that was answered never exists. `raw`: the body as it is kept, without a secret.
 */
export function readBody(provider: ReceivingProvider, parsed: Parsed<unknown>, raw: Uint8Array, log: Log): Reading {
  return bounded(readWhole(provider, parsed, raw, log), raw);
}

/** Without a bound on the number of events: for whoever asks for this one body to be read again, and waits for it. */
export function readWhole(provider: ReceivingProvider, parsed: Parsed<unknown>, raw: Uint8Array, log: Log): Reading {
  if (!parsed.ok) return { issues: [parsed.issue] };
  try {
    const reading = provider.read(parsed.value);
    const mayBeTooLong = 'drafts' in reading && raw.length * 6 > LONGEST_SHOWN;
    return mayBeTooLong && reading.drafts.some(isTooLong) ? { issues: [TOO_LONG] } : reading;
  } catch (cause) {
    // A reader that throws is a fault of ours: the body waits in quarantine for the release that mends it.
    log.error('a reader failed; the event is in quarantine', cause, { provider: provider.name });
    return { issues: [OUR_FAULT] };
  }
}

const isTooLong = ({ payload }: Draft): boolean => Buffer.byteLength(JSON.stringify(payload)) > LONGEST_SHOWN;

/** Each event of a delivery keeps the whole body, so that it can be read again by itself. */
const MOST_EVENTS = 200;
const MOST_BYTES_KEPT = 16 * 1024 * 1024;

function bounded(reading: Reading, raw: Uint8Array): Reading {
  if ('issues' in reading) return reading;
  const count = reading.drafts.length;
  if (count <= MOST_EVENTS && (count === 1 || count * raw.length <= MOST_BYTES_KEPT)) return reading;
  return { issues: [{ path: '', message: `holds ${count} events, more than can be stored at once; replay it` }] };
}
