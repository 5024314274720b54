import { type Attempt, matching, type Sighting } from '#lib/domain/sending/evidence.ts';
import type { PartState } from '#lib/domain/sending/part.ts';
import { getAll } from '../get-all.ts';
import { queryAll } from '../query-all.ts';
import { stateKey } from '../receiving/delivery-state.ts';
import type { Item, Store } from '../store.ts';
import type { SendingConfig } from './config.ts';
import { readPointer, readProviderMessage, readSend, type Send } from './items.ts';
import { accountKey, OLD_UNKNOWN_PREFIX, POINTER_PREFIX, sendKey } from './keys.ts';
import { type Echo, fileOfPart, type Marks, marksUnder, tracesOfPart } from './marks.ts';
import type { Head } from './turn.ts';

/** An attempt of ours, as it stands. */
export interface OurAttempt extends Attempt, Head {}

export interface Found {
  readonly attempt: OurAttempt;
  readonly sighting: Sighting;
}

export interface Look extends Pick<Send, 'workspace' | 'provider'> {
  readonly account: string;
  /** The account's names at the provider under which a message may be known. */
  readonly scopes: readonly string[];
  /** What the part or the message in question is found by. */
  readonly traces: readonly string[];
  /** Known before the look begins: whose they are was under way by then, or is over. */
  /** The part that is asked about, where it is one: it counts, whether or not it is marked. */
  readonly asking?: Place;
  readonly sightings: readonly (Sighting & Pick<Partial<Echo>, 'state'>)[];
}

/**
 * Which attempts these messages can only be. The queue is read first: what the messages belong to stands in it then, or
 * has left it, and with that its id or its mark is written. Five thousand other unknown sends are no read more.
 */
export async function lookFor(store: Store, look: Look, now: number, config: SendingConfig): Promise<readonly Found[]> {
  const { account, sightings } = look;
  const queue = await queueOf(store, account);
  const marks = await marksUnder(store, account, look.traces, now);
  const asking = look.asking ? [look.asking] : [];
  if (marks.unknown.length + queue.old.length + asking.length === 0) return [];
  const old = queue.isWhole ? queue.old : await oldMarks(store, account);
  const { sends, isClaimed } = await knownSends(store, look, marks, [...queue.places, ...old, ...asking]);
  const marked = new Set([...marks.unknown, ...old, ...asking].map(nameOf));
  const attempts = sends.flatMap((send) => attemptsOf(send, marked));
  const all = [...new Map([...marks.echoes, ...sightings].map((one) => [one.providerId, one])).values()];
  const free = all.filter((sighting) => !isClaimed(sighting));
  const asked = new Set(sightings.map(({ providerId }) => providerId));
  return matching(attempts, free, config.unknownLimitMs).filter(({ sighting }) => asked.has(sighting.providerId));
}

export interface Place {
  readonly send: string;
  readonly part: number;
}
interface Queue {
  readonly places: readonly Place[];
  readonly old: readonly Place[];
  readonly isWhole: boolean;
}

/** The part that is being sent need not be the first: one with a lower number, accepted at the same moment, may have come later. */
const NEAR_THE_FRONT = 50;

/** In one read with the marks of version 0.1, which lie behind it. */
async function queueOf(store: Store, account: string): Promise<Queue> {
  const { pk } = accountKey(account);
  const range = { from: POINTER_PREFIX, before: OLD_UNKNOWN_PREFIX.replace('#', '$') };
  const page = await store.query({ pk, ...range, limit: NEAR_THE_FRONT, consistent: true });
  const isPointer = ({ sk }: Item) => sk.startsWith(POINTER_PREFIX);
  return {
    places: page.items.filter(isPointer).map(readPointer),
    old: page.items.filter((item) => !isPointer(item)).map(readPointer),
    isWhole: page.next === undefined,
  };
}

const PAGE = 500;

async function oldMarks(store: Store, account: string): Promise<Place[]> {
  const { pk } = accountKey(account);
  return (await queryAll(store, { pk, prefix: OLD_UNKNOWN_PREFIX, limit: PAGE, consistent: true })).map(readPointer);
}

interface Known {
  readonly sends: readonly Send[];
  /** A message is one of ours that has its id, by whichever name of the account. */
  readonly isClaimed: (sighting: Look['sightings'][number]) => boolean;
}

async function knownSends(store: Store, look: Look, marks: Marks, places: readonly Place[]): Promise<Known> {
  const scopes = new Set([...look.scopes, ...marks.unknown.map(({ scope }) => scope)]);
  const statesOf = ({ providerId, state }: Look['sightings'][number]) => [
    ...(state === undefined ? [] : [state]),
    ...[...scopes].map((scope) => stateKey({ ...look, scope }, providerId).pk),
  ];
  const states = new Set([...look.sightings, ...marks.echoes].flatMap(statesOf));
  const ids = new Set([...marks.unknown, ...places].map(({ send }) => send));
  const keys = [...[...ids].map(sendKey), ...[...states].map((pk) => ({ pk, sk: 'META' }))];
  const items = await getAll(store, keys, { consistent: true });
  const claimed = new Set(
    items.filter((item) => states.has(item.pk) && readProviderMessage(item).send !== undefined).map(({ pk }) => pk),
  );
  const sends = items.filter(({ pk }) => !states.has(pk)).map(readSend);
  return {
    sends: sends.filter((send) => send.workspace === look.workspace && send.accountId === look.account),
    isClaimed: (sighting) => statesOf(sighting).some((state) => claimed.has(state)),
  };
}

/** What is being sent, and what has left the queue without an id of the provider's: it can be what a message is. */
function attemptsOf(send: Send, marked: ReadonlySet<string>): OurAttempt[] {
  return send.parts.flatMap((part, index) => {
    const { state, intentAt: since, providerId } = part;
    const isMarked = marked.has(nameOf({ send: send.messageId, part: index }));
    if (since === undefined || providerId !== undefined) return [];
    if (!(state === 'sending' || state === 'unknown' || (isMarked && isGivenUp(state)))) return [];
    const traces = tracesOfPart(send, part);
    return [{ send, index, part, traces, file: fileOfPart(send, part), since, isOpen: state !== 'sending' }];
  });
}

/** Given up without being known not to have gone: what failed without an id certainly did not. */
const isGivenUp = (state: PartState): boolean => state === 'expired';

const nameOf = ({ send, part }: Place): string => `${send} ${part}`;
