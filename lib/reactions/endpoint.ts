import * as v from 'valibot';
import { Condition } from '#lib/domain/reaction/condition.ts';
import { HEALTHY, Health } from '#lib/domain/reaction/delivery.ts';
import { Headers, NoticePatterns } from '#lib/domain/reaction/rule.ts';
import { checked, known, optional, strictObject, Whole } from '#lib/domain/schema.ts';
import { isOwnMachine, type Reach, readProviderUrl } from '#lib/domain/url.ts';
import { itemReader } from '#lib/store/items.ts';
import { dueListOf, dueSortKey, endpointKey, healthKey } from '#lib/store/keys.ts';
import { type Change, type Item, type Store, set, setOrRemove, unchanged } from '#lib/store/store.ts';
import { CALLS_KEPT_SECONDS } from './delivery.ts';

const LONGEST_NAME = 100;
const DEFAULT_TIMEOUT_MS = 5000;

/** What may be said of an endpoint, when it is made and later. */
const fields = {
  name: v.pipe(v.string(), v.trim(), v.minLength(1), v.maxLength(LONGEST_NAME)),
  url: v.pipe(v.string(), v.maxLength(2000), v.description('Called by POST, signed as Standard Webhooks says')),
  types: v.pipe(NoticePatterns, v.description('As `message.*`; left out: every type')),
  where: v.pipe(Condition, v.description('Of these, only the events of which this holds')),
  headers: v.pipe(Headers, v.description('Sent along with each call; kept as a secret and not shown again')),
  payload: v.pipe(v.picklist(['full', 'thin']), v.description('`thin`: ids alone')),
  timeoutMs: v.pipe(
    Whole,
    v.minValue(1000),
    v.maxValue(30_000),
    v.description('How long a call may take. While calls take more than a second, two are made side by side'),
  ),
  ratePerSecond: v.pipe(
    Whole,
    v.minValue(1),
    v.maxValue(100),
    v.description(
      'At most so many calls are begun in a second; what exceeds it waits and follows in its order. Left out: no limit',
    ),
  ),
};

export const NewEndpoint = strictObject({
  name: v.exactOptional(fields.name),
  url: fields.url,
  types: v.optional(fields.types, ['*']),
  where: v.exactOptional(fields.where),
  headers: v.exactOptional(fields.headers),
  payload: v.optional(fields.payload, 'full'),
  timeoutMs: v.optional(fields.timeoutMs, DEFAULT_TIMEOUT_MS),
  ratePerSecond: v.exactOptional(fields.ratePerSecond),
});
export type NewEndpoint = v.InferOutput<typeof NewEndpoint>;

/** What is given is changed; `null` takes it away. */
export const EndpointChanges = strictObject({
  name: optional(v.nullable(fields.name)),
  url: v.exactOptional(fields.url),
  types: v.exactOptional(fields.types),
  where: optional(v.nullable(fields.where), '`null` removes it'),
  headers: optional(v.nullable(fields.headers), 'All of them; `null` removes them'),
  payload: v.exactOptional(fields.payload),
  timeoutMs: v.exactOptional(fields.timeoutMs),
  ratePerSecond: v.exactOptional(v.nullable(fields.ratePerSecond)),
});
export type EndpointChanges = v.InferOutput<typeof EndpointChanges>;

const Stored = v.object({
  id: v.string(),
  workspace: v.string(),
  name: v.exactOptional(v.string()),
  url: v.string(),
  types: v.array(v.string()),
  /** A condition, as JSON: it was checked when it was written. */
  where: v.exactOptional(v.pipe(v.string(), v.parseJson(), Condition)),
  payload: v.picklist(['full', 'thin']),
  timeoutMs: v.number(),
  ratePerSecond: v.exactOptional(v.number()),
  secretVersion: v.number(),
  createdAt: v.string(),
  ...Health.entries,
});
export type Endpoint = v.InferOutput<typeof Stored>;
export const readEndpoint: (item: Item) => Endpoint = itemReader(Stored);

export function endpointItem({ where, ...endpoint }: Endpoint): Item {
  return {
    ...endpointKey(endpoint.workspace, endpoint.id),
    ...known({ ...endpoint, ...(where && { where: JSON.stringify(where) }) }),
  };
}

const Called = v.object({
  id: v.string(),
  workspace: v.string(),
  ratePerSecond: v.exactOptional(v.number()),
  ...Health.entries,
});
/** Who is called, and spared while it fails: an endpoint, or the URLs of one rule together. */
export interface Callee extends v.InferOutput<typeof Called> {
  /** A rule whose calls went well so far has no item. */
  readonly isUnwritten?: boolean;
}
export const readCallee: (item: Item) => Callee = itemReader(Called);

/** How a callee is, and nothing else of it. */
export const healthOf = (callee: Callee): Health =>
  checked(Health, callee, () => `the health of ${callee.id} is damaged`);

/** How the URLs are that a rule calls. */
export async function calleeOfRule(store: Store, workspace: string, rule: string): Promise<Callee> {
  const item = await store.get(healthKey(workspace, rule), { consistent: true });
  return item ? readCallee(item) : { id: rule, workspace, isUnwritten: true, ...HEALTHY };
}

/** An item as it was read: whoever changes its health sees what another call has made of it meanwhile. */
export const healthAsRead = ({ state, failures, probeAt, drainingSince, drainAt, slowAt }: Callee) =>
  unchanged({ state, failures, probeAt, drainingSince, drainAt, slowAt });

/** What makes an item say how it is by now. The watchdog asks one that fails, or drains one, should its own task be lost. */
export function healthChanges(id: string, health: Health): readonly Change[] {
  const at = health.probeAt ?? health.drainAt;
  return [
    ...v.keyof(Health).options.map((name) => setOrRemove(name, health[name])),
    setOrRemove('gsi3pk', at === undefined ? undefined : dueListOf('endpoint', id)),
    setOrRemove('gsi3sk', at === undefined ? undefined : dueSortKey(at, id)),
  ];
}

/** What the item of a rule's calls holds beside. */
export const ofRule = (id: string, workspace: string, now: number): readonly Change[] => [
  ...[set('id', id), set('workspace', workspace)],
  set('expiresAt', Math.floor(now / 1000) + CALLS_KEPT_SECONDS),
];

/** Where a URL leads, however its host is spelled; who listens on a port does so by one protocol. */
function placeOf({ protocol, hostname, port }: URL): string {
  const host = isOwnMachine(hostname) ? 'localhost' : hostname.replace(/\.$/, '');
  return [host, port || (protocol === 'https:' ? '443' : '80')].join(' ');
}

/** Whether two URLs lead to the same host and port. */
export function isSamePlace(one: string, other: string): boolean {
  const [a, b] = [URL.parse(one), URL.parse(other)];
  return a !== null && b !== null && placeOf(a) === placeOf(b);
}

/** Why a URL is no endpoint's; undefined where it may be one. `origins`: of the hub, whose calls of itself would never end. */
export function refusedUrl(raw: string, reach: Reach, origins: readonly string[]): string | undefined {
  const read = readProviderUrl(raw, reach);
  if (read.kind === 'refused') return read.reason;
  const own = origins.flatMap((origin) => URL.parse(origin) ?? []).map(placeOf);
  if (own.includes(placeOf(read.url))) return 'is the hub itself: what it is told would come in again';
  return read.url.hash === '' ? undefined : 'must not have a fragment';
}
