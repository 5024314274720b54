import { safeFileName } from '#lib/domain/file.ts';
import type { Clock } from '#lib/domain/ports.ts';
import { known } from '#lib/domain/schema.ts';
import { type Attempt, isOfHidden, matching, type Sighting } from '#lib/domain/send/evidence.ts';
import type { PartState } from '#lib/domain/send/part.ts';
import { unheard } from '#lib/inbox/delivery-state.ts';
import { accountKey, headKey, OLD_UNKNOWN_PREFIX, POINTER_PREFIX, sendKey, stateKey } from '#lib/store/keys.ts';
import { getAll, queryAll } from '#lib/store/query.ts';
import { withRetries } from '#lib/store/retry.ts';
import type { Item, Store } from '#lib/store/store.ts';
import type { SendingConfig } from './config.ts';
import {
  type Head,
  NEAR_THE_FRONT,
  type Part,
  readAccount,
  readPointer,
  readProviderMessage,
  readSend,
  type Send,
} from './items.ts';
import { type Echo, echoMarks, fileOfPart, type Marks, marksUnder, tracesOfPart } from './marks.ts';
import type { OpenAccounts } from './open-accounts.ts';
import type { Attempted, Candidate, Evidence, Finding } from './provider.ts';
import type { SettlingPorts } from './settle.ts';
import { settleLate } from './statuses.ts';

/** The account that a message went out through, as the hub knows it. */
type EchoedBy = Pick<Look, 'workspace' | 'provider' | 'account'>;

/**
 * A message of which a provider's webhook tells, and of which nobody knows yet that it is one of ours. It settles the
 * attempt that it can only belong to, and answers its send. Where there is none, or more than one, it is marked for
 * whoever looks later. `state`: of the message, as it was just read.
 */
export async function onEcho(
  given: SettlingPorts,
  by: EchoedBy,
  echo: Echo,
  state: Item | undefined,
  config: SendingConfig,
): Promise<Send | undefined> {
  const ports = withRetries(given, config);
  const { store, clock } = ports;
  const look = { ...by, scopes: [], traces: echo.traces, sightings: [echo] };
  const first = await lookFor(store, look, clock.now(), config);
  const settled = await settleWhere(ports, first, state);
  if (settled) return settled;
  await store.writeMany(echoMarks(by.account, echo, clock.now(), config));
  // Whoever came to be unknown in between may not have seen the mark yet. He stood in the queue at the first look.
  if (first.isQueueEmpty) return undefined;
  const { unknown } = await marksUnder(store, by.account, echo.traces, clock.now());
  if (unknown.length === 0) return undefined;
  return settleWhere(ports, await lookFor(store, look, clock.now(), config), state);
}

async function settleWhere(ports: SettlingPorts, { found: [only] }: Looked, state: Item | undefined) {
  if (!only) return undefined;
  const { attempt, sighting } = only;
  const ending = { kind: 'sent', providerId: sighting.providerId, inferred: true } as const;
  const asRead = { head: attempt, unheard: state && unheard(state, ports.clock.now() / 1000) };
  return settleLate(ports, attempt, attempt.since, ending, asRead);
}

const LOOK_MS = 8_000;
const NOTHING: Finding = { kind: 'none' };

/**
 * What became of an attempt: by what webhooks have told already, which may have been while it still counted as being
 * sent; and where that says nothing, by what the account's provider lists.
 */
export function evidence(accounts: OpenAccounts, store: Store, clock: Clock, config: SendingConfig): Evidence {
  /** Which of these messages the attempt is; undefined unless it can only be one. */
  async function onlyOne({ send, index, part }: Wanted, sightings: readonly Sighting[]): Promise<string | undefined> {
    if (sightings.length === 0) return undefined;
    const { workspace, provider, accountId: account, scope } = send;
    const asking = { send: send.messageId, part: index };
    const look = { workspace, provider, account, scopes: [scope], traces: tracesOfPart(send, part), sightings, asking };
    const { found } = await lookFor(store, look, clock.now(), config);
    const mine = found.filter(({ attempt }) => attempt.send.messageId === send.messageId && attempt.index === index);
    return mine[0]?.sighting.providerId;
  }

  async function echoed(wanted: Wanted): Promise<Finding> {
    if (wanted.part.providerId !== undefined) return NOTHING;
    const traces = tracesOfPart(wanted.send, wanted.part);
    const { echoes } = await marksUnder(store, wanted.send.accountId, traces, clock.now(), 'echoes');
    const providerId = await onlyOne(wanted, echoes);
    return providerId === undefined ? NOTHING : { kind: 'accepted', providerId };
  }

  async function listed(wanted: Wanted): Promise<Finding> {
    const { send, part } = wanted;
    const candidates = await listedFor(accounts, store, clock, wanted);
    const traces = tracesOfPart(send, part);
    const file = fileOfPart(send, part);
    // It has an id: then no other message is this one, whatever that says.
    const only =
      part.providerId ??
      (await onlyOne(
        wanted,
        candidates.map((one) => sightingOf(one, traces, file)),
      ));
    return findingOf(candidates.find(({ providerId }) => providerId === only));
  }

  return {
    find: async (send, index) => {
      const wanted = wantedOf(send, index);
      if (!wanted) return NOTHING;
      const found = await echoed(wanted);
      return found.kind === 'none' ? listed(wanted) : found;
    },
    echoed: async (send, index) => {
      const wanted = wantedOf(send, index);
      return wanted ? echoed(wanted) : NOTHING;
    },
  };
}

interface Wanted {
  readonly send: Send;
  readonly index: number;
  readonly part: Part;
  readonly since: number;
}

function wantedOf(send: Send, index: number): Wanted | undefined {
  const part = send.parts[index];
  return part?.intentAt === undefined ? undefined : { send, index, part, since: part.intentAt };
}

async function listedFor(accounts: OpenAccounts, store: Store, clock: Clock, wanted: Wanted) {
  const { send } = wanted;
  const item = await store.get(accountKey(send.accountId), { consistent: true });
  if (!item) return [];
  const account = readAccount(item);
  // It has another name at the provider by now, where nobody knows of this attempt.
  if (account.scope !== send.scope) return [];
  const opened = await accounts.open(account);
  if (opened.kind !== 'open') return [];
  return opened.account.find(attempted(wanted), clock.monotonic() + LOOK_MS);
}

function attempted({ send: { messageId, recipient }, index, part, since }: Wanted): Attempted {
  const { kind, text, name, caption, providerId } = part;
  // Files go out under a cleaned name.
  const content =
    kind === 'text' ? { kind, text: text ?? '' } : { kind, name: safeFileName(name ?? ''), ...known({ caption }) };
  return { messageId, part: index, recipient, content, since, ...known({ providerId }) };
}

const sightingOf = ({ providerId, isNameless }: Candidate, traces: readonly string[], file: string | undefined) => ({
  providerId,
  traces,
  file: isNameless ? undefined : file,
  at: undefined,
});

function findingOf(found: Candidate | undefined): Finding {
  if (!found) return NOTHING;
  const { providerId, failed } = found;
  return failed === undefined ? { kind: 'accepted', providerId } : { kind: 'rejected', reason: failed, providerId };
}

/** An attempt of ours, as it stands. */
interface OurAttempt extends Attempt, Head {}

interface Found {
  readonly attempt: OurAttempt;
  readonly sighting: Sighting;
}

interface Looked {
  readonly found: readonly Found[];
  /** When the look began. */
  readonly isQueueEmpty: boolean;
}

interface Look extends Pick<Send, 'workspace' | 'provider'> {
  readonly account: string;
  /** The account's names at the provider under which a message may be known. */
  readonly scopes: readonly string[];
  /** What the part or the message in question is found by. */
  readonly traces: readonly string[];
  /** The part that is asked about, where it is one: it counts, whether or not it is marked. */
  readonly asking?: Place;
  /** Known before the look begins: whose they are was under way by then, or is over. */
  readonly sightings: readonly (Sighting & Pick<Partial<Echo>, 'state'>)[];
}

/**
 * Which attempts these messages can only be. The queue is read first: what the messages belong to stands in it then, or
 * has left it, and with that its id or its mark is written. Five thousand other unknown sends are no read more.
 */
async function lookFor(store: Store, look: Look, now: number, config: SendingConfig): Promise<Looked> {
  const { account, sightings } = look;
  const queue = await queueOf(store, account);
  const marks = await marksUnder(store, account, look.traces, now);
  const asking = look.asking ? [look.asking] : [];
  const isQueueEmpty = queue.places.length === 0;
  if (marks.unknown.length + queue.old.length + asking.length === 0) return { found: [], isQueueEmpty };
  const old = queue.isWhole ? queue.old : await oldMarks(store, account);
  const { sends, isClaimed } = await knownSends(store, look, marks, [...queue.places, ...old, ...asking]);
  const attempts = sends.flatMap(attemptsOf).map(marks.isCrowded ? named : asTold);
  const all = [...new Map([...marks.echoes, ...sightings].map((one) => [one.providerId, one])).values()];
  const free = all.filter((sighting) => !isClaimed(sighting));
  const asked = new Set(sightings.map(({ providerId }) => providerId));
  const matched = matching(attempts, free, config.unknownLimitMs);
  return { found: matched.filter(({ sighting }) => asked.has(sighting.providerId)), isQueueEmpty };
}

const asTold = (attempt: OurAttempt): OurAttempt => attempt;
const named = (attempt: OurAttempt): OurAttempt => ({
  ...attempt,
  traces: attempt.traces.filter((trace) => !isOfHidden(trace)),
});

interface Place {
  readonly send: string;
  readonly part: number;
}
interface Queue {
  readonly places: readonly Place[];
  readonly old: readonly Place[];
  readonly isWhole: boolean;
}

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
  const keys = [...[...ids].map(sendKey), ...[...states].map(headKey)];
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

/**
 * What is being sent, and what has left the queue without an id of the provider's: it can be what a message is. What
 * failed without one certainly did not go out.
 */
function attemptsOf(send: Send): OurAttempt[] {
  return send.parts.flatMap((part, index) => {
    const { state, intentAt: since, providerId } = part;
    if (since === undefined || providerId !== undefined || !CAN_BE.includes(state)) return [];
    const traces = tracesOfPart(send, part);
    return [{ send, index, part, traces, file: fileOfPart(send, part), since, isOpen: state !== 'sending' }];
  });
}

const CAN_BE: readonly PartState[] = ['sending', 'unknown', 'expired'];
