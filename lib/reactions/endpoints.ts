import * as v from 'valibot';
import { newId } from '#lib/domain/ids.ts';
import type { Secrets } from '#lib/domain/ports.ts';
import { faultsOfCondition } from '#lib/domain/reaction/condition.ts';
import { draining, HEALTHY, type Health } from '#lib/domain/reaction/delivery.ts';
import { Instant, type Issue, known, optional, tally, Whole } from '#lib/domain/schema.ts';
import { toIso } from '#lib/domain/time.ts';
import type { Reach } from '#lib/domain/url.ts';
import type { ProviderHttp } from '#lib/sender/provider.ts';
import { type Readable, readEach } from '#lib/store/items.ts';
import { ENDPOINT_PREFIX, endpointKey, waitingList, workspacePartition } from '#lib/store/keys.ts';
import { ofLastDay, queryAll } from '#lib/store/query.ts';
import { AGAIN, retryOnConflict, type StorePorts } from '#lib/store/retry.ts';
import {
  absent,
  all,
  type Change,
  del,
  exists,
  newTransaction,
  put,
  remove,
  type Store,
  set,
  unchanged,
  update,
} from '#lib/store/store.ts';
import { former } from '#lib/tenants/workspaces.ts';
import { call, endpointSecret, faultsOfSize, newSecret, readSecret, type SigningSecret } from './call.ts';
import { CALLS_KEPT_SECONDS, deliveriesOf, readDelivery, type Tasks } from './delivery.ts';
import {
  type Endpoint,
  type EndpointChanges,
  endpointItem,
  healthChanges,
  isSamePlace,
  type NewEndpoint,
  readEndpoint,
  refusedUrl,
} from './endpoint.ts';
import { patternFault } from './untrusted.ts';

const MOST_ENDPOINTS = 50;
const TOO_MANY = `a workspace has ${MOST_ENDPOINTS} endpoints at most: delete one first`;
const MOST_FORMER = 3;
const LOOKED_AT = 50;
const COUNTED = 1000;

export interface EndpointPorts extends StorePorts {
  readonly secrets: Secrets;
  readonly tasks: Tasks;
  readonly http: ProviderHttp;
  /** What endpoints may lead to. */
  readonly endpointReach: Reach;
}

export const DeliveriesOfDay = v.pipe(
  v.object({
    total: tally('Deliveries that were begun'),
    delivered: tally('Of these, what the endpoint has taken'),
    more: v.pipe(v.boolean(), v.description('There were more: these are the newest 200')),
  }),
  v.description('What became of what was stored in the last 24 hours; in a list where it is asked for'),
);

const Failure = v.object({ at: Instant, status: v.exactOptional(Whole), failure: optional(v.string()) });

/** An endpoint as its owner sees it: its secret and its headers are never shown again. */
export const ShownEndpoint = v.object({
  id: v.string(),
  name: optional(v.string()),
  url: v.string(),
  types: v.array(v.string()),
  where: optional(v.unknown(), 'The condition, as it was given'),
  payload: v.picklist(['full', 'thin']),
  timeoutMs: Whole,
  ratePerSecond: v.exactOptional(Whole),
  state: v.pipe(
    v.picklist(['active', 'failing', 'disabled']),
    v.description(
      '`failing`: what is for it waits, and one call after 1, 2, 5 and then each 15 minutes asks how it is',
    ),
  ),
  disabledBecause: optional(v.picklist(['gone', 'failing', 'asked']), '`gone`: it answered 410 itself'),
  failingSince: v.exactOptional(Instant),
  waiting: optional(Whole, 'How much waits for it; 1,000 stands for more'),
  lastSuccessAt: optional(Instant, 'Among its latest deliveries'),
  lastFailure: v.exactOptional(Failure),
  last24h: v.exactOptional(DeliveriesOfDay),
  createdAt: Instant,
});
export type ShownEndpoint = v.InferOutput<typeof ShownEndpoint>;

interface Refused {
  readonly issues: readonly Issue[];
}

/** The secret goes before the item: an endpoint that is there can be signed for. */
export async function createEndpoint(
  ports: EndpointPorts,
  workspace: string,
  wanted: NewEndpoint,
  origins: readonly string[],
): Promise<{ readonly endpoint: Endpoint; readonly secret: string } | Refused> {
  const { store, secrets, clock, random } = ports;
  const issues = faultsOf(wanted, ports.endpointReach, origins);
  if (issues.length > 0) return { issues };
  if ((await allEndpoints(store, workspace)).items.length >= MOST_ENDPOINTS)
    return { issues: [{ path: '', message: TOO_MANY }] };
  const { headers, ...said } = wanted;
  const id = newId('ep', clock.now(), random.bytes(10));
  const secret = newSecret(random);
  const kept: SigningSecret = { secrets: [{ secret }], ...known({ headers }) };
  const secretVersion = await secrets.put(endpointSecret(id), JSON.stringify(kept));
  const endpoint = { id, workspace, ...said, ...HEALTHY, secretVersion, createdAt: toIso(clock.now()) };
  await store.write(put(endpointItem(endpoint), absent()));
  return { endpoint, secret };
}

function faultsOf(
  { url, where, headers }: Pick<EndpointChanges, 'url' | 'where' | 'headers'>,
  reach: Reach,
  origins: readonly string[],
): readonly Issue[] {
  const refused = url === undefined ? undefined : refusedUrl(url, reach, origins);
  return [
    ...(refused === undefined ? [] : [{ path: 'url', message: refused }]),
    ...(where ? faultsOfCondition(where, 'where', patternFault) : []),
    ...faultsOfSize(headers ?? {}, 'headers'),
  ];
}

async function allEndpoints(store: Store, workspace: string): Promise<Readable<Endpoint>> {
  const pk = workspacePartition(workspace);
  const items = await queryAll(store, { pk, prefix: ENDPOINT_PREFIX, limit: 100, consistent: true });
  return readEach(items, readEndpoint);
}

export async function listEndpoints(store: Store, workspace: string): Promise<Readable<ShownEndpoint>> {
  const { items, damaged } = await allEndpoints(store, workspace);
  return { items: items.toReversed().map(shownEndpoint), damaged };
}

/** The same with how each did in the last 24 hours: a look at the deliveries of each, at the same time. */
export async function listEndpointsOfDay(
  store: Store,
  workspace: string,
  now: number,
): Promise<Readable<ShownEndpoint>> {
  const { items, damaged } = await listEndpoints(store, workspace);
  const withDay = items.map(async (one) => ({ ...one, last24h: await lastDayOf(store, one.id, now) }));
  return { items: await Promise.all(withDay), damaged };
}

async function lastDayOf(store: Store, id: string, now: number): Promise<v.InferOutput<typeof DeliveriesOfDay>> {
  const { items, isMore: more } = await ofLastDay(store, deliveriesOf(id), now);
  return { total: items.length, delivered: items.filter(({ state }) => state === 'delivered').length, more };
}

export async function findEndpoint(store: Store, workspace: string, id: string): Promise<Endpoint | undefined> {
  const item = await store.get(endpointKey(workspace, id), { consistent: true });
  return item && readEndpoint(item);
}

export function shownEndpoint(endpoint: Endpoint): ShownEndpoint {
  const { id, name, url, types, where, payload, timeoutMs, ratePerSecond, state, disabledBecause, createdAt } =
    endpoint;
  const failingSince = endpoint.failingSince === undefined ? undefined : toIso(endpoint.failingSince);
  const maybe = known({ name, where, ratePerSecond, disabledBecause, failingSince });
  return { id, url, types, payload, timeoutMs, state, createdAt, ...maybe };
}

/** With what its latest deliveries tell. A healthy endpoint is never written to, so that it is counted here. */
export async function endpointInFull(store: Store, endpoint: Endpoint, now: number): Promise<ShownEndpoint> {
  const [latest, waiting, last24h] = await Promise.all([
    store.query({ ...deliveriesOf(endpoint.id), limit: LOOKED_AT, descending: true }),
    store.query({ index: 'gsi3', pk: waitingList(endpoint.id), limit: COUNTED }),
    lastDayOf(store, endpoint.id, now),
  ]);
  const attempts = latest.items
    .flatMap((item) => readDelivery(item).attempts)
    .toSorted((a, b) => (a.at < b.at ? 1 : -1));
  const success = attempts.find(({ status = 0 }) => status >= 200 && status < 300);
  const failure = attempts.find(({ status = 0 }) => status < 200 || status >= 300);
  return {
    ...shownEndpoint(endpoint),
    waiting: waiting.items.length,
    last24h,
    ...(success && { lastSuccessAt: success.at }),
    ...(failure && { lastFailure: { at: failure.at, ...known({ status: failure.status, failure: failure.failure }) } }),
  };
}

/** Headers hold keys of whoever is called: where the URL leads to somebody else, those that are not given again go. */
export async function patchEndpoint(
  ports: EndpointPorts,
  workspace: string,
  id: string,
  { headers, where, ...changes }: EndpointChanges,
  origins: readonly string[],
): Promise<{ readonly endpoint: Endpoint; readonly headersDropped: readonly string[] } | Refused | undefined> {
  const issues = faultsOf({ ...changes, ...known({ where, headers }) }, ports.endpointReach, origins);
  if (issues.length > 0) return (await findEndpoint(ports.store, workspace, id)) && { issues };
  return writeAnew(ports, workspace, id, async (endpoint) => {
    const isMoved = changes.url !== undefined && !isSamePlace(changes.url, endpoint.url);
    const kept = isMoved && headers === undefined ? await secretOf(ports, endpoint) : undefined;
    const headersDropped = Object.keys(kept?.headers ?? {});
    const secretVersion =
      headers === undefined && headersDropped.length === 0
        ? undefined
        : await putSecret(ports, endpoint, (secret) => ({ ...secret, headers: headers ?? {} }));
    const said = {
      ...changes,
      ...known({ secretVersion, where: where && JSON.stringify(where) }),
      ...(where === null && { where }),
    };
    const writes = Object.entries(said).map(([name, value]) => (value === null ? remove(name) : set(name, value)));
    return { changes: writes, answer: (written) => ({ endpoint: written, headersDropped }) };
  });
}

interface Rewritten<Answer> {
  readonly changes: readonly Change[];
  readonly answer: (written: Endpoint) => Answer;
}

/**
 * Changes an endpoint as `rewrite` says of the one that is there. What is kept as a secret stands under a version of its own:
 * of two changes at once, the second begins anew, or it would take back what the first has just answered.
 */
function writeAnew<Answer>(
  { store }: EndpointPorts,
  workspace: string,
  id: string,
  rewrite: (endpoint: Endpoint) => Promise<Rewritten<Answer>>,
): Promise<Answer | undefined> {
  return retryOnConflict(`the endpoint ${id}`, async () => {
    const endpoint = await findEndpoint(store, workspace, id);
    if (!endpoint) return undefined;
    const rewritten = await rewrite(endpoint);
    const { url, secretVersion } = endpoint;
    const asRead = all(exists(), unchanged({ url, secretVersion }));
    const key = endpointKey(workspace, id);
    const written = await store.write(update(key, rewritten.changes, asRead), { returns: 'new' });
    return written.done && written.item ? rewritten.answer(readEndpoint(written.item)) : AGAIN;
  });
}

const secretOf = ({ secrets }: EndpointPorts, { id, secretVersion }: Endpoint) =>
  readSecret(secrets, endpointSecret(id), secretVersion);

async function putSecret(
  ports: EndpointPorts,
  endpoint: Endpoint,
  change: (kept: SigningSecret) => SigningSecret,
): Promise<number> {
  const kept = await secretOf(ports, endpoint);
  return ports.secrets.put(endpointSecret(endpoint.id), JSON.stringify(change(kept)));
}

/** What waits for it runs out by itself, with nobody to tell it to. */
export async function deleteEndpoint(
  { store, secrets, clock, random }: EndpointPorts,
  workspace: string,
  id: string,
): Promise<boolean> {
  const writes = [del(endpointKey(workspace, id), exists()), former(workspace, id, clock.now(), CALLS_KEPT_SECONDS)];
  const deleted = await store.transact(writes, newTransaction(random));
  if (!deleted.done) return false;
  await secrets.delete(endpointSecret(id));
  return true;
}

/**
 * A new secret, and for `graceSeconds` each call is signed with the one before, too. One that was promised longer goes on
 * signing: whoever repeats a rotation may never have seen what the first has answered. No grace ends all of them.
 */
export async function rotateEndpoint(
  ports: EndpointPorts,
  workspace: string,
  id: string,
  graceSeconds: number,
): Promise<{ readonly endpoint: Endpoint; readonly secret: string } | undefined> {
  const secret = newSecret(ports.random);
  const until = ports.clock.now() + graceSeconds * 1000;
  return writeAnew(ports, workspace, id, async (before) => {
    const secretVersion = await putSecret(ports, before, (kept) => ({
      ...kept,
      secrets: [{ secret }, ...(graceSeconds > 0 ? stillSigning(kept, until) : [])],
    }));
    return { changes: [set('secretVersion', secretVersion)], answer: (endpoint) => ({ endpoint, secret }) };
  });
}

/** The newest until then; older ones until their own time is over. */
const stillSigning = ({ secrets }: SigningSecret, until: number) =>
  secrets.map(({ secret, until: promised = until }) => ({ secret, until: promised })).slice(0, MOST_FORMER);

/** What waited while it was off is drained, oldest first. */
export async function switchEndpoint(
  { store, clock, tasks }: EndpointPorts,
  workspace: string,
  id: string,
  on: boolean,
): Promise<Endpoint | undefined> {
  const health: Health = on
    ? draining(clock.now())
    : ({ state: 'disabled', failures: 0, disabledBecause: 'asked' } as const);
  const changes = healthChanges(id, health);
  const written = await store.write(update(endpointKey(workspace, id), changes, exists()), { returns: 'new' });
  if (!written.done || !written.item) return undefined;
  const { drainAt } = health;
  if (drainAt !== undefined) await tasks.send({ kind: 'drain', workspace, endpoint: id, at: drainAt });
  return readEndpoint(written.item);
}

/** Calls it with a made-up notice. The call is kept nowhere and counts towards nothing. */
export async function testEndpoint(ports: EndpointPorts, endpoint: Endpoint, body: string) {
  const { secrets, random } = ports;
  const secret = await readSecret(secrets, endpointSecret(endpoint.id), endpoint.secretVersion);
  const id = `test_${Buffer.from(random.bytes(16)).toString('hex')}`;
  const { result, answer, ms } = await call(ports, endpoint, secret, { id, body, attempt: 1 });
  return { ms, ...(result.kind === 'answered' ? { status: result.status, answer } : { failure: result.reason }) };
}
