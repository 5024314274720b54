import { safeFileName } from '#lib/domain/file.ts';
import type { Clock, Random } from '#lib/domain/ports.ts';
import { known } from '#lib/domain/schema.ts';
import { nextReconciliation } from '#lib/domain/send/outcome.ts';
import type { SendingConfig } from '#lib/sender/config.ts';
import { fileOfPart, type Look, lookFor, marksUnder, tracesOfPart } from '#lib/sender/evidence.ts';
import { field, type Head, type Part, readAccount, readSend, type Send } from '#lib/sender/items.ts';
import type { OpenAccounts } from '#lib/sender/open-accounts.ts';
import { settleLate } from '#lib/sender/outcome.ts';
import type { Attempted } from '#lib/sender/provider.ts';
import { type Ending, type Parts, type SettlingPorts, settleTogether } from '#lib/sender/settle.ts';
import { accountKey, dueListKey, dueSortKey, everyShard, sendKey } from '#lib/store/keys.ts';
import { pagesOf } from '#lib/store/query.ts';
import { withRetries } from '#lib/store/retry.ts';
import { all, type Change, equal, remove, type Store, set, update } from '#lib/store/store.ts';

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
 * Sees to what may have been sent. What is over its limit gets its credit back first, and no provider is asked: one that
 * does not answer must not delay that. Then evidence is looked for, at growing distances. A part is never sent again here,
 * whatever is found: only an operator may decide that.
 */
export async function reconcile(
  ports: ReconcilePorts,
  endsAt: number,
  config: SendingConfig,
): Promise<readonly unknown[]> {
  const { clock } = ports;
  const { over, waiting, failures } = await survey(ports, endsAt, config);
  const byQuota = [...Map.groupBy(over, ({ workspace, epoch }) => `${workspace} ${epoch}`).values()];
  const unsettled: unknown[] = [];
  const chunks = byQuota.flatMap((sends) => chunked(sends, TOGETHER));
  const unexpired = await runTasks(chunks, { clock, lanes: LANES.table, endsAt }, async (sends) => {
    unsettled.push(...(await expire(withRetries(ports, config), sends, endsAt, config)));
  });
  // In an order of their own each run, so that no account is always the one that is not reached.
  const accounts = shuffled([...Map.groupBy(waiting, ({ accountId }) => accountId).values()], ports.random);
  await runTasks(accounts, { clock, lanes: LANES.provider, endsAt }, async (sends) => {
    const ownEnd = Math.min(endsAt, clock.monotonic() + LOOKS_MS);
    const look = (send: Send) => lookAt(withRetries(ports, config), send, config);
    unsettled.push(...(await runTasks(sends, { clock, lanes: 1, endsAt: ownEnd }, look)));
  });
  return [...failures, ...unexpired, ...unsettled];
}

/** All that is due: what of it is over its limit, and what is to be looked for. */
async function survey(ports: ReconcilePorts, endsAt: number, config: SendingConfig) {
  const over: Send[] = [];
  const waiting: Send[] = [];
  const { clock } = ports;
  const now = clock.now();
  const lists = everyShard((shard) => dueListKey('unknown', shard));
  const lanes = { clock, lanes: lists.length, endsAt };
  const damaged: unknown[] = [];
  const unread = await runTasks(lists, lanes, async (pk) => {
    const { store } = withRetries(ports, config);
    for await (const page of pagesOf(store, { index: 'gsi3', pk, before: dueSortKey(now), limit: PAGE })) {
      const items = page.length === 0 ? [] : await store.getMany(page);
      const sort = async (send: Send) => {
        const isAnyOver = send.parts.some((part) => isOver(part, now, config));
        (isAnyOver ? over : waiting).push(send);
      };
      damaged.push(...(await runTasks(items, lanes, async (item) => sort(readSend(item)))));
    }
  });
  return { over, waiting, failures: [...unread, ...damaged] };
}

const isOver = ({ state, unknownAt = 0 }: Part, now: number, { unknownLimitMs }: SendingConfig): boolean =>
  state === 'unknown' && now >= unknownAt + unknownLimitMs;

const EXPIRED = { kind: 'expired', reason: 'no sign that it was sent' } as const;

/**
 * Some of one quota. Its item takes one transaction at a time, so thousands that expire in one moment would wait for each
 * other for minutes: they go back several in a transaction, and one by one where that is refused.
 */
async function expire(ports: ReconcilePorts, seen: readonly Send[], endsAt: number, config: SendingConfig) {
  const { store, clock } = ports;
  const now = clock.now();
  const items = await store.getMany(
    seen.map(({ messageId }) => sendKey(messageId)),
    { consistent: true },
  );
  const over = items.map(readSend).flatMap((send): Parts[] => {
    const parts = send.parts.flatMap((part, index) => (isOver(part, now, config) ? [index] : []));
    return parts.length === 0 ? [] : [{ send, parts }];
  });
  if (over.length > 0 && (await settleTogether(ports, over, EXPIRED))) return [];
  return runTasks(over, { clock, lanes: 1, endsAt }, async ({ send, parts }) => {
    for (const index of parts) await settleLate(ports, { send, index }, send.parts[index]?.intentAt ?? 0, EXPIRED);
  });
}

function chunked<Element>(elements: readonly Element[], size: number): Element[][] {
  const count = Math.ceil(elements.length / size);
  return Array.from({ length: count }, (_, i) => elements.slice(i * size, (i + 1) * size));
}

function shuffled<Element>(elements: readonly Element[], random: Random): Element[] {
  const keyed = elements.map((element) => ({ element, at: random.next() }));
  return keyed.sort((a, b) => a.at - b.at).map(({ element }) => element);
}

/** The next look first: one that fails, or ends its run, must not be the first again in each run. */
async function lookAt(ports: ReconcilePorts, { messageId }: Send, config: SendingConfig): Promise<void> {
  const found = await ports.store.get(sendKey(messageId), { consistent: true });
  if (!found) return;
  const send = readSend(found);
  const now = ports.clock.now();
  const isDue = (part: Part) =>
    part.state === 'unknown' && !isOver(part, now, config) && (part.reconcileAt ?? 0) <= now;
  const due = [...send.parts.entries()].filter(([, part]) => isDue(part));
  if (!(await postpone(ports.store, send, new Map(due), now, config))) return;
  for (const [index, part] of due) {
    const ending = await whatBecameOf(ports, send, index, config);
    if (ending) await settleLate(ports, { send, index }, part.intentAt ?? 0, ending);
  }
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
  const looks = parts.flatMap(({ state, unknownAt = 0, reconcileAt = now }, index) => {
    if (state !== 'unknown') return [];
    if (!due.has(index)) return [reconcileAt];
    const next = unknownAt + nextReconciliation(now - unknownAt, config.unknownLimitMs);
    changes.push(set(field(index, 'reconcileAt'), next));
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

const LOOK_MS = 8_000;

/**
 * What became of an attempt whose answer never came: by what webhooks have told already, which may have been while it
 * still counted as being sent; and where that says nothing, by what the account's provider lists. Undefined unless exactly
 * one message fits.
 */
export async function whatBecameOf(
  ports: LookPorts,
  send: Send,
  index: number,
  config: SendingConfig,
): Promise<Ending | undefined> {
  const part = send.parts[index];
  if (part?.intentAt === undefined) return undefined;
  const head = { send, index, part };
  const traces = tracesOfPart(send, part);
  if (part.providerId === undefined) {
    const { echoes } = await marksUnder(ports.store, send.accountId, traces, ports.clock.now(), 'echoes');
    const echo = await onlyOne(ports, head, echoes, config);
    if (echo) return { kind: 'sent', inferred: true, providerId: echo.providerId, ...known({ state: echo.state }) };
  }
  const candidates = await listedFor(ports, head, part.intentAt);
  const file = fileOfPart(send, part);
  const sightings = candidates.map(({ providerId, isNameless }) => {
    return { providerId, traces, file: isNameless ? undefined : file, at: undefined };
  });
  // It has an id: then no other message is this one, whatever that says.
  const providerId = part.providerId ?? (await onlyOne(ports, head, sightings, config))?.providerId;
  const found = candidates.find((one) => one.providerId === providerId);
  if (!found) return undefined;
  return found.failed === undefined
    ? { kind: 'sent', inferred: true, providerId: found.providerId }
    : { kind: 'failed', reason: found.failed, providerId: found.providerId };
}

/** Which of these messages the attempt is; undefined unless it can only be one. */
async function onlyOne(
  { store, clock }: LookPorts,
  { send, index, part }: Head,
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

async function listedFor({ openAccounts, store, clock }: LookPorts, { send, index, part }: Head, since: number) {
  const item = await store.get(accountKey(send.accountId), { consistent: true });
  if (!item) return [];
  const account = readAccount(item);
  // It has another name at the provider by now, where nobody knows of this attempt.
  if (account.scope !== send.scope) return [];
  const opened = await openAccounts.open(account);
  if (opened.kind !== 'open') return [];
  const { kind, text = '', name = '', caption, providerId } = part;
  // Files go out under a cleaned name.
  const content = kind === 'text' ? { kind, text } : { kind, name: safeFileName(name), ...known({ caption }) };
  const { messageId, recipient } = send;
  const attempted: Attempted = { messageId, part: index, recipient, content, since, ...known({ providerId }) };
  return opened.account.find(attempted, clock.monotonic() + LOOK_MS);
}

/** How many tasks of a kind go on side by side, and when the last of them may begin, on `clock.monotonic`. */
interface Lanes {
  readonly clock: Clock;
  readonly lanes: number;
  readonly endsAt: number;
}

/** The table alone takes its time, or a provider that does not answer: then they only wait. */
export const LANES = { table: 8, provider: 25 };

/**
 * A task for each of these. What goes wrong with one neither ends nor delays the others, so failures are collected.
 * What is not reached in time is left to the next run.
 */
export async function runTasks<Item>(
  items: readonly Item[],
  { clock, lanes, endsAt }: Lanes,
  task: (item: Item) => Promise<void>,
): Promise<unknown[]> {
  const failures: unknown[] = [];
  const waiting = items.values();
  const lane = async () => {
    for (const item of waiting) {
      if (clock.monotonic() >= endsAt) return;
      await task(item).catch((error: unknown) => failures.push(error));
    }
  };
  await Promise.all(Array.from({ length: Math.min(lanes, items.length) }, lane));
  return failures;
}
