import * as v from 'valibot';
import { isOwnMachine, type Reach, readProviderUrl } from '#lib/domain/base-url.ts';
import { Condition } from '#lib/domain/reaction/condition.ts';
import { Headers, NoticePatterns } from '#lib/domain/reaction/rule.ts';
import { known, strictObject, Whole } from '#lib/domain/schema.ts';
import { itemReader } from '#lib/store/items.ts';
import { endpointKey } from '#lib/store/keys.ts';
import type { Item } from '#lib/store/store.ts';
import { dueAttributes, healthEntries } from './health.ts';

const LONGEST_NAME = 100;
const DEFAULT_TIMEOUT_MS = 5000;

/** What may be said of an endpoint, when it is made and later. */
export const endpointFields = {
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
    v.description(
      'How long a call may take. While calls take more than a second, few are made side by side, and of what waits two at a time',
    ),
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
  name: v.exactOptional(endpointFields.name),
  url: endpointFields.url,
  types: v.optional(endpointFields.types, ['*']),
  where: v.exactOptional(endpointFields.where),
  headers: v.exactOptional(endpointFields.headers),
  payload: v.optional(endpointFields.payload, 'full'),
  timeoutMs: v.optional(endpointFields.timeoutMs, DEFAULT_TIMEOUT_MS),
  ratePerSecond: v.exactOptional(endpointFields.ratePerSecond),
});
export type NewEndpoint = v.InferOutput<typeof NewEndpoint>;

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
  ...healthEntries,
});
export type Endpoint = v.InferOutput<typeof Stored>;
export const readEndpoint: (item: Item) => Endpoint = itemReader(Stored);

export function endpointItem({ where, ...endpoint }: Endpoint): Item {
  return {
    ...endpointKey(endpoint.workspace, endpoint.id),
    ...known({ ...endpoint, ...(where && { where: JSON.stringify(where) }) }),
    ...dueAttributes(endpoint),
  };
}

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
