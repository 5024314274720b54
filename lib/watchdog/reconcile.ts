import { safeFileName } from '#lib/domain/file.ts';
import type { Clock, Random } from '#lib/domain/ports.ts';
import { known } from '#lib/domain/schema.ts';
import { nextReconciliation } from '#lib/domain/send/pace.ts';
import type { SendingConfig } from '#lib/sender/config.ts';
import { fileOfPart, type Look, lookFor, marksUnder, tracesOfPart } from '#lib/sender/evidence.ts';
import { field, type Head, type Part, readAccount, readSend, type Send } from '#lib/sender/items.ts';
import type { OpenAccounts } from '#lib/sender/open-accounts.ts';
import type { Attempted, Candidate } from '#lib/sender/provider.ts';
import { type Ending, type Parts, type SettlingPorts, settleTogether } from '#lib/sender/settle.ts';
import { settleLate } from '#lib/sender/statuses.ts';
import { accountKey, dueSortKey, sendKey } from '#lib/store/keys.ts';
import { pagesOf } from '#lib/store/query.ts';
import { all, type Change, equal, type Item, type Key, remove, type Store, set, update } from '#lib/store/store.ts';
import { type DueTimes, dueLists, LANES, runTasks, timed } from './tasks.ts';

export interface ReconcilePorts extends SettlingPorts {
  readonly openAccounts: OpenAccounts;
}

/** As many as one request reads. */
const PAGE = 100;
/** Sends that expire in one transaction, where that takes all their writes. */
const TOGETHER = 8;
/** How long the looks of one account may take in a run, together: one that is never answered uses all of it. */
const LOOKS_MS = 8_000;

/**
 * Sees to what may have been sent. What is over its limit is settled first, by what webhooks have told or else by giving
 * its credit back, and no provider is asked: one that does not answer must not delay that. Then evidence is looked for, at growing distances. A part is never sent
 * again here, whatever is found: only an operator may decide that.
 */
export async function reconcile(
  ports: ReconcilePorts,
  times: DueTimes,
  endsAt: number,
  config: SendingConfig,
): Promise<readonly unknown[]> {
  const { clock } = ports;
  const { over, byAccount, failures } = await survey(ports, times, endsAt, config);
  const table = { clock, lanes: LANES.table, endsAt };
  const together = [...Map.groupBy(over, ({ quota }) => quota).values()].flatMap((some) => chunked(some, TOGETHER));
  const unexpired = await runTasks(together, table, (some) => expire(timed(ports), some, config));
  const each = unexpired.flatMap((one) => (one instanceof AggregateError ? one.errors : [one]));
  return [...failures, ...each, ...(await lookByAccount(ports, byAccount, endsAt, config))];
}

interface Over extends Key {
  /** Where its credit goes back to. */
  readonly quota: string;
}

/** All that is due: what of it is over its limit, and whose the rest is. */
async function survey(ports: ReconcilePorts, times: DueTimes, endsAt: number, config: SendingConfig) {
  const over: Over[] = [];
  const byAccount = new Map<string, Key[]>();
  const now = ports.clock.now();
  const sort = async ({ pk, sk, ...item }: Item) => {
    const send = readSend({ pk, sk, ...item });
    const mine = byAccount.get(send.accountId) ?? [];
    const isAnyOver = send.parts.some((part) => isOver(part, now, config));
    if (isAnyOver) over.push({ pk, sk, quota: `${send.workspace} ${send.epoch}` });
    else mine.push({ pk, sk });
    byAccount.set(send.accountId, mine);
  };
  const lists = dueLists('unknown', times, PAGE);
  const lanes = { clock: ports.clock, lanes: lists.length, endsAt };
  const damaged: unknown[] = [];
  const unread = await runTasks(lists, lanes, async (list) => {
    for await (const page of pagesOf(timed(ports).store, list)) {
      if (page.length === 0) continue;
      damaged.push(...(await runTasks(await timed(ports).store.getMany(page), lanes, sort)));
    }
  });
  return { over, byAccount, failures: [...unread, ...damaged] };
}

/** What was counted as unknown by a clock that was ahead is so since now. */
const unknownSince = ({ unknownAt }: Part, now: number): number => Math.min(unknownAt ?? now, now);

const isOver = (part: Part, now: number, { unknownLimitMs }: SendingConfig): boolean =>
  part.state === 'unknown' && now >= unknownSince(part, now) + unknownLimitMs;

/** Before its limit, and its next look has come, or lies so far ahead that no honest clock has written it. */
function isDue(part: Part, now: number, config: SendingConfig): boolean {
  if (part.state !== 'unknown' || isOver(part, now, config)) return false;
  const { reconcileAt = 0 } = part;
  return reconcileAt <= now || reconcileAt > now + config.unknownLimitMs + config.graceMs;
}

/**
 * Some of one quota. Its item takes one transaction at a time, so thousands that expire in one moment would wait for each
 * other for minutes: they go back several in a transaction, and fewer at a time where that is refused.
 */
async function expire(ports: ReconcilePorts, some: readonly Over[], config: SendingConfig): Promise<void> {
  const sends = (await ports.store.getMany(some, { consistent: true })).map(readSend);
  const heard = await Promise.allSettled(sends.map((send) => withoutEcho(ports, send, config)));
  const over = heard.flatMap((one) => (one.status === 'fulfilled' && one.value.parts.length > 0 ? [one.value] : []));
  const failures: unknown[] = heard.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []));
  await giveBack(ports, over, failures);
  if (failures.length > 0)
    throw new AggregateError(failures, 'messages that are over their limit could not be settled');
}

const EXPIRED = { kind: 'expired', reason: 'no sign that it was sent' } as const;

/** Half of them by half, where all together are refused: what hinders one, or fits in no transaction, is not the others'. */
async function giveBack(ports: ReconcilePorts, over: readonly Parts[], failures: unknown[]): Promise<void> {
  const [first, ...others] = over;
  if (!first) return;
  try {
    if (await settleTogether(ports, over, EXPIRED)) return;
    if (others.length === 0) {
      const { send, parts } = first;
      for (const index of parts) await settleLate(ports, { send, index }, send.parts[index]?.intentAt ?? 0, EXPIRED);
      return;
    }
  } catch (failure) {
    failures.push(failure);
    return;
  }
  for (const half of chunked(over, Math.ceil(over.length / 2))) await giveBack(ports, half, failures);
}

/**
 * The parts that are over their limit, but for those that can now be told by an echo: two messages of the same words may
 * have been one too many at the last look, and the other settled since.
 */
async function withoutEcho(ports: ReconcilePorts, send: Send, config: SendingConfig): Promise<Parts> {
  const now = ports.clock.now();
  const parts: number[] = [];
  for (const [index, part] of send.parts.entries()) {
    if (!isOver(part, now, config)) continue;
    const wanted = wantedOf(send, index);
    const found = wanted && endingOf(await echoed(ports, wanted, config));
    if (found) await settleLate(ports, { send, index }, part.intentAt ?? 0, found);
    else parts.push(index);
  }
  return { send, parts };
}

function chunked<Element>(elements: readonly Element[], size: number): Element[][] {
  const count = Math.ceil(elements.length / size);
  return Array.from({ length: count }, (_, i) => elements.slice(i * size, (i + 1) * size));
}

/**
 * The accounts take turns, each with one look at a time, and none with more than its share of the run: a provider that
 * does not answer keeps nobody else waiting. They come in an order of their own each run, so that no account is always
 * the one that is not reached.
 */
async function lookByAccount(
  ports: ReconcilePorts,
  byAccount: ReadonlyMap<string, readonly Key[]>,
  endsAt: number,
  config: SendingConfig,
): Promise<unknown[]> {
  const { clock, random } = ports;
  const failures: unknown[] = [];
  const turns = shuffled([...byAccount.values()], random).map((due) => ({ due: [...due], spentMs: 0 }));
  const lane = async () => {
    for (let turn = turns.shift(); turn && clock.monotonic() < endsAt; turn = turns.shift()) {
      const key = turn.due.shift();
      if (!key) continue;
      const begunAt = clock.monotonic();
      await look(timed(ports), key, config).catch((error: unknown) => failures.push(error));
      turn.spentMs += clock.monotonic() - begunAt;
      if (turn.spentMs < LOOKS_MS) turns.push(turn);
    }
  };
  await Promise.all(Array.from({ length: Math.min(LANES.provider, turns.length) }, lane));
  return failures;
}

function shuffled<Element>(elements: readonly Element[], random: Random): Element[] {
  const keyed = elements.map((element) => ({ element, at: random.next() }));
  return keyed.sort((a, b) => a.at - b.at).map(({ element }) => element);
}

/** The next look first: one that fails, or ends its run, must not be the first again in each run. */
async function look(ports: ReconcilePorts, key: Key, config: SendingConfig): Promise<void> {
  const found = await ports.store.get(key, { consistent: true });
  if (!found) return;
  const send = readSend(found);
  const now = ports.clock.now();
  const due = [...send.parts.entries()].filter(([, part]) => isDue(part, now, config));
  if (!(await postpone(ports.store, send, new Map(due), now, config))) return;
  for (const [index, part] of due) {
    const ending = endingOf(await whatBecameOf(ports, send, index, config));
    if (ending) await settleLate(ports, { send, index }, part.intentAt ?? 0, ending);
  }
}

function endingOf(finding: Finding): Ending | undefined {
  if (finding.kind === 'accepted') return { ...finding, kind: 'sent', inferred: true };
  if (finding.kind === 'rejected') return { ...finding, kind: 'failed' };
  return undefined;
}

/** On to the next look, or off the list. False if the send has changed meanwhile: the next run sees it. */
async function postpone(
  store: Store,
  { messageId, parts, gsi3sk }: Send,
  due: ReadonlyMap<number, Part>,
  now: number,
  config: SendingConfig,
): Promise<boolean> {
  if (gsi3sk === undefined) return false;
  const changes: Change[] = [];
  const looks = parts.flatMap((part, index) => {
    if (part.state !== 'unknown') return [];
    if (!due.has(index)) return [part.reconcileAt ?? now];
    const since = unknownSince(part, now);
    const next = since + nextReconciliation(now - since, config.unknownLimitMs);
    changes.push(set(field(index, 'unknownAt'), since), set(field(index, 'reconcileAt'), next));
    return [next];
  });
  const listing =
    looks.length === 0
      ? [remove('gsi3pk'), remove('gsi3sk')]
      : [set('gsi3sk', dueSortKey(Math.min(...looks), messageId))];
  // The time alone does not tell: a part that has just become unknown may stand under the same one.
  const asRead = parts.map((part, index) => equal(field(index, 'state'), part.state));
  const written = await store.write(
    update(sendKey(messageId), [...changes, ...listing], all(equal('gsi3sk', gsi3sk), ...asRead)),
  );
  return written.done;
}

interface LookPorts {
  readonly store: Store;
  readonly clock: Clock;
  readonly openAccounts: OpenAccounts;
}

/** What became of an attempt whose answer never came. Says more than `none` only where exactly one message fits. */
type Finding =
  | { readonly kind: 'accepted'; readonly providerId: string; readonly state?: string }
  | { readonly kind: 'rejected'; readonly reason: string; readonly providerId?: string }
  | { readonly kind: 'none' };

const LOOK_MS = 8_000;
const NOTHING: Finding = { kind: 'none' };

/**
 * By what webhooks have told already, which may have been while it still counted as being sent; and where that says
 * nothing, by what the account's provider lists.
 */
export async function whatBecameOf(
  ports: LookPorts,
  send: Send,
  index: number,
  config: SendingConfig,
): Promise<Finding> {
  const wanted = wantedOf(send, index);
  if (!wanted) return NOTHING;
  const found = await echoed(ports, wanted, config);
  return found.kind === 'none' ? listed(ports, wanted, config) : found;
}

/** By what webhooks have told alone: the provider is not asked. */
async function echoed(ports: LookPorts, wanted: Wanted, config: SendingConfig): Promise<Finding> {
  const { send, part } = wanted;
  if (part.providerId !== undefined) return NOTHING;
  const traces = tracesOfPart(send, part);
  const { echoes } = await marksUnder(ports.store, send.accountId, traces, ports.clock.now(), 'echoes');
  const echo = await onlyOne(ports, wanted, echoes, config);
  return echo ? { kind: 'accepted', providerId: echo.providerId, ...known({ state: echo.state }) } : NOTHING;
}

async function listed(ports: LookPorts, wanted: Wanted, config: SendingConfig): Promise<Finding> {
  const { send, part } = wanted;
  const candidates = await listedFor(ports, wanted);
  const traces = tracesOfPart(send, part);
  const file = fileOfPart(send, part);
  const sightings = candidates.map((one) => sightingOf(one, traces, file));
  // It has an id: then no other message is this one, whatever that says.
  const only = part.providerId ?? (await onlyOne(ports, wanted, sightings, config))?.providerId;
  return findingOf(candidates.find(({ providerId }) => providerId === only));
}

/** Which of these messages the attempt is; undefined unless it can only be one. */
async function onlyOne(
  { store, clock }: LookPorts,
  { send, index, part }: Wanted,
  sightings: Look['sightings'],
  config: SendingConfig,
): Promise<Look['sightings'][number] | undefined> {
  if (sightings.length === 0) return undefined;
  const { workspace, provider, accountId: account, scope } = send;
  const asking = { send: send.messageId, part: index };
  const look = { workspace, provider, account, scopes: [scope], traces: tracesOfPart(send, part), sightings, asking };
  const { found } = await lookFor(store, look, clock.now(), config);
  const mine = found.find(({ attempt }) => attempt.send.messageId === send.messageId && attempt.index === index);
  return mine?.sighting;
}

interface Wanted extends Head {
  readonly since: number;
}

function wantedOf(send: Send, index: number): Wanted | undefined {
  const part = send.parts[index];
  return part?.intentAt === undefined ? undefined : { send, index, part, since: part.intentAt };
}

async function listedFor({ openAccounts, store, clock }: LookPorts, wanted: Wanted) {
  const { send } = wanted;
  const item = await store.get(accountKey(send.accountId), { consistent: true });
  if (!item) return [];
  const account = readAccount(item);
  // It has another name at the provider by now, where nobody knows of this attempt.
  if (account.scope !== send.scope) return [];
  const opened = await openAccounts.open(account);
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
