import * as v from 'valibot';
import { creditsNow } from '#lib/credits/credits.ts';
import type { Clock } from '#lib/domain/ports.ts';
import { Instant, known, optional, tally, Whole } from '#lib/domain/schema.ts';
import { sendState } from '#lib/domain/send/part.ts';
import { DAY_MS, HOUR_MS } from '#lib/domain/time.ts';
import { countQuarantined } from '#lib/inbox/quarantine.ts';
import { listMuted, Paused, pausedOf } from '#lib/reactions/auto.ts';
import { listEndpoints } from '#lib/reactions/endpoints.ts';
import { listRules } from '#lib/reactions/rules.ts';
import type { SendingConfig } from '#lib/sender/config.ts';
import { type Account, readAccount, readProbe, readSend } from '#lib/sender/items.ts';
import { type Readable, readEach } from '#lib/store/items.ts';
import {
  accountKey,
  changesKey,
  directoryRange,
  entryId,
  probeKey,
  sendKey,
  UNKNOWN_PREFIX,
  workspacePartition,
} from '#lib/store/keys.ts';
import { getAll } from '#lib/store/query.ts';
import type { Store } from '#lib/store/store.ts';
import { wholeDirectory } from '#lib/tenants/workspaces.ts';
import { type Counted, type Figures, figures, hoursBetween, type Stat, sumOf } from './counters.ts';

const all = <const Entries extends v.ObjectEntries>(entries: Entries, description: string) =>
  v.pipe(v.array(v.object(entries)), v.description(description));

export const Hour = v.object({ at: v.pipe(Instant, v.description('When the hour begins')), ...figures });
const Period = v.object({
  ...figures,
  hours: v.pipe(v.array(Hour), v.readonly(), v.description('Oldest first')),
});

const Standstill = v.pipe(
  v.picklist(['held', 'silent', 'paused']),
  v.description('`silent`: held because its provider does not answer. `paused`: by an operator'),
);

const Needs = v.object({
  accounts: all(
    {
      ...{ id: v.string(), provider: v.string(), name: optional(v.string()), phone: optional(v.string()) },
      ...{ state: Standstill, reason: optional(v.string()) },
    },
    'Those through which nothing goes out',
  ),
  unknown: tally('Sends of which nobody knows whether they went out; 100 stands for more'),
  quarantine: all(
    { provider: v.string(), type: v.string(), waiting: Whole },
    'What was not understood and still waits, by type, the most frequent first',
  ),
  endpoints: all(
    { id: v.string(), url: v.string(), name: optional(v.string()), state: v.picklist(['failing', 'disabled']) },
    'Those that fail, or were switched off for it',
  ),
  rules: all({ id: v.string(), name: v.string(), reason: v.string() }, 'Those that the hub has switched off'),
  paused: v.exactOptional(v.pipe(Paused, v.description('No rule sends'))),
  muted: tally('Chats that no rule answers, since a machine seems to answer there'),
  credits: v.pipe(v.boolean(), v.description('Whether less than a tenth of them is left')),
  damaged: v.pipe(
    v.array(v.string()),
    v.description(
      'Accounts, endpoints and rules whose items in the table are damaged. Lists leave them out, such an endpoint or rule does nothing, and such an account can keep its workspace from sending',
    ),
  ),
});

export const Summary = v.object({
  today: v.pipe(Period, v.description('From `since` until now')),
  lastWeek: v.pipe(Period, v.description('A week before, up to the same time; its hours are those of the whole day')),
  waiting: tally('Messages that wait in the queues of all accounts, or are being sent'),
  credits: v.object({ available: Whole, granted: Whole }),
  needs: Needs,
  steps: v.pipe(
    v.object({ webhook: v.boolean(), event: v.boolean(), account: v.boolean(), send: v.boolean(), rule: v.boolean() }),
    v.description('Which of the first steps are done; events and sends count from the release that brought this'),
  ),
});
export type Summary = v.InferOutput<typeof Summary>;

interface Ports {
  readonly store: Store;
  readonly clock: Clock;
  readonly config: SendingConfig;
}

const WEEK_MS = 7 * DAY_MS;

/**
 * What goes on in a workspace, and what needs a hand. Two round trips to the table: what leads to accounts and sends comes
 * with all the rest, then these. `since`: when today began for whoever asks, milliseconds.
 */
export async function summaryOf(ports: Ports, workspace: string, since: number): Promise<Summary> {
  const { store, clock, config } = ports;
  const now = clock.now();
  const before = since - WEEK_MS;
  const [accounts, credits, today, lastWeek, reactions, unknown, quarantine, hooks, changes] = await Promise.all([
    accountsOf(store, workspace),
    creditsNow(store, workspace, config, now),
    hoursBetween(store, workspace, since, now),
    hoursBetween(store, workspace, before, before + DAY_MS),
    reactionsOf(ports, workspace),
    countUnknown(store, workspace),
    waitingTypes(store, workspace),
    store.query({ ...directoryRange(workspace, 'WEBHOOK'), limit: 1 }),
    store.get(changesKey(workspace)),
  ]);
  const { hasRule, damaged, ...broken } = reactions;
  const isLow = credits.granted > 0 && credits.available < credits.granted / 10;
  return {
    today: { ...sumOf(today), hours: today.map(hourOf) },
    lastWeek: { ...sumUpTo(lastWeek, now - WEEK_MS), hours: lastWeek.map(hourOf) },
    waiting: accounts.items.reduce((sum, { pending }) => sum + pending, 0),
    credits,
    needs: {
      accounts: accounts.items.flatMap(standstill),
      unknown,
      quarantine,
      ...broken,
      credits: isLow,
      damaged: [...accounts.damaged, ...damaged],
    },
    steps: {
      webhook: hooks.items.length > 0,
      event: changes?.events !== undefined,
      account: accounts.items.length > 0,
      send: changes?.sends !== undefined,
      rule: hasRule,
    },
  };
}

/** What of endpoints and rules does not work. */
async function reactionsOf(ports: Ports, workspace: string) {
  const { store } = ports;
  const [endpoints, rules, paused, muted] = await Promise.all([
    listEndpoints(store, workspace),
    listRules(store, workspace),
    pausedOf(store, workspace),
    listMuted(ports, workspace),
  ]);
  return {
    endpoints: endpoints.items.flatMap(({ id, url, name, state, disabledBecause }) =>
      state === 'active' || disabledBecause === 'asked' ? [] : [{ id, url, state, ...known({ name }) }],
    ),
    rules: rules.items.flatMap(({ id, name, disabledBecause: reason }) =>
      reason === undefined ? [] : [{ id, name, reason }],
    ),
    ...(paused && { paused }),
    muted: muted.length,
    hasRule: rules.items.length > 0,
    damaged: [...endpoints.damaged, ...rules.damaged],
  };
}

async function waitingTypes(store: Store, workspace: string) {
  const types = await countQuarantined(store, workspace);
  return types.flatMap(({ provider, type, seen, replayed, dismissed }) => {
    const waiting = seen - replayed - dismissed;
    return waiting > 0 ? [{ provider, type, waiting }] : [];
  });
}

const hourOf = ({ at, received, sent, failed }: Stat) => ({ at, received, sent, failed });

/** Of an hour that has begun as much as of it has gone by. */
function sumUpTo(hours: readonly Stat[], end: number): Figures {
  const gone = ({ at }: Stat) => Math.min(1, Math.max(0, (end - Date.parse(at)) / HOUR_MS));
  const sum = (what: Counted) => Math.round(hours.reduce((total, hour) => total + hour[what] * gone(hour), 0));
  return { received: sum('received'), sent: sum('sent'), failed: sum('failed') };
}

type Standing = Account & { readonly isSilent: boolean };

async function accountsOf(store: Store, workspace: string): Promise<Readable<Standing>> {
  const ids = (await wholeDirectory(store, workspace, 'ACCOUNT')).map(entryId);
  const items = await getAll(store, [...ids.map(accountKey), ...ids.map(probeKey)]);
  const [probes, heads] = [true, false].map((isProbe) =>
    items.filter(({ sk }) => (sk === probeKey('').sk) === isProbe),
  );
  const silent = new Set((probes ?? []).map(readProbe).flatMap(({ account, silent }) => (silent ? [account] : [])));
  const { items: accounts, damaged } = readEach(heads ?? [], readAccount);
  return { items: accounts.map((account) => ({ ...account, isSilent: silent.has(account.id) })), damaged };
}

function standstill({ id, provider, name, phone, held, holdReason, paused, pauseReason, isSilent }: Standing) {
  const whose = { id, provider, ...known({ name, phone }) };
  const heldAs = isSilent ? ('silent' as const) : ('held' as const);
  return [
    ...(held ? [{ ...whose, state: heldAs, ...known({ reason: holdReason }) }] : []),
    ...(paused ? [{ ...whose, state: 'paused' as const, ...known({ reason: pauseReason }) }] : []),
  ];
}

const MOST_UNKNOWN = 100;

/** A row may be left over from a send that has come further since. */
async function countUnknown(store: Store, workspace: string): Promise<number> {
  const { items } = await store.query({
    pk: workspacePartition(workspace),
    prefix: UNKNOWN_PREFIX,
    limit: MOST_UNKNOWN,
  });
  const keys = items.map((row) => sendKey(entryId(row)));
  const sends = readEach(await getAll(store, keys), readSend).items;
  return sends.filter(({ parts }) => sendState(parts) === 'unknown').length;
}
