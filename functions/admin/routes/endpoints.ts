import * as v from 'valibot';
import { ALL_NOTICE_TYPES } from '#lib/domain/reaction/notice.ts';
import { optional, strictObject, text, Whole } from '#lib/domain/schema.ts';
import { findDelivery, listDeliveries, retryDelivery, ShownDelivery } from '#lib/reactions/delivery.ts';
import { EndpointChanges, NewEndpoint } from '#lib/reactions/endpoint.ts';
import {
  createEndpoint,
  deleteEndpoint,
  endpointInFull,
  findEndpoint,
  listEndpoints,
  listEndpointsOfDay,
  patchEndpoint,
  rotateEndpoint,
  ShownEndpoint,
  shownEndpoint,
  switchEndpoint,
  testEndpoint,
} from '#lib/reactions/endpoints.ts';
import { findReplay, NewReplay, ShownReplay, startReplay } from '#lib/reactions/replay.ts';
import { bodyOf } from '#lib/reactions/target.ts';
import { EMPTY, found, invalid, json, missing } from '../answers.ts';
import { exampleOf, noticeSchemas } from '../examples.ts';
import { routesOn } from '../route.ts';
import { changesOf, flag, listOf, pageRequest, paging, wholeList } from '../schemas.ts';

const NO_ENDPOINT = missing('endpoint');
const NO_DELIVERY = missing('delivery');
const NO_REPLAY = missing('replay');
const route = routesOn({ tag: 'Endpoints', access: 'workspace' });

export const EndpointWithSecret = v.object({
  ...ShownEndpoint.entries,
  secret: text('Verifies each call, as Standard Webhooks says. Shown this once'),
});

const Changed = v.object({
  ...ShownEndpoint.entries,
  headersDropped: optional(
    v.pipe(v.array(v.string()), v.readonly()),
    'Its headers that are not sent any more, since its URL leads to another host',
  ),
});

const switching = (word: 'enable' | 'disable') =>
  route(`POST /api/endpoints/{id}/${word}`, {
    summary: word === 'enable' ? 'Switch an endpoint on' : 'Switch an endpoint off',
    description:
      word === 'enable'
        ? 'What waited for it is delivered, oldest first. What came in while it was switched off is not: replay it.'
        : 'What waits for it stays until it is switched on again, for 30 days.',
    answers: { 200: { description: 'The endpoint', schema: ShownEndpoint } },
    run: async ({ params }, { ports, workspace }) => {
      const endpoint = await switchEndpoint(ports, workspace, params.id, word === 'enable');
      return endpoint ? json(200, shownEndpoint(endpoint)) : NO_ENDPOINT;
    },
  });

const TestResult = v.object({
  ms: v.pipe(Whole, v.description('How long it took')),
  status: optional(Whole, 'Of its answer'),
  answer: optional(v.string(), 'The beginning of its body'),
  failure: optional(v.string(), 'Where there was no answer'),
});

const NoticeTypes = v.object({
  items: v.array(
    v.object({
      type: v.string(),
      description: v.string(),
      schema: v.pipe(v.unknown(), v.description('JSON Schema of `data`')),
      example: v.unknown(),
    }),
  ),
});

export const endpointRoutes = [
  route('POST /api/endpoints', {
    summary: 'Have notices posted to a URL of yours',
    description:
      'Each notice is a signed POST (Standard Webhooks); a 2xx within the time-out is success, everything else is tried again, ten times in all over about three days. A workspace has 50 at most. The answer holds the secret, which no later answer does.',
    body: NewEndpoint,
    example: { name: 'CRM', url: 'https://example.com/hookline', types: ['message.*', 'send.failed'] },
    answers: { 201: { description: 'The endpoint with its secret', schema: EndpointWithSecret } },
    run: async ({ body }, { ports, workspace, origins }) => {
      const made = await createEndpoint(ports, workspace, body, origins);
      if ('issues' in made) return invalid(made.issues);
      return json(201, { ...shownEndpoint(made.endpoint), secret: made.secret });
    },
  }),
  route('GET /api/endpoints', {
    summary: 'List endpoints, newest first',
    description: 'All of them: there are 50 at most.',
    query: strictObject({ last24h: flag('Whether each says how it did in the last 24 hours, as `last24h`') }),
    answers: { 200: { description: 'All', schema: listOf(ShownEndpoint) } },
    run: async ({ query: { last24h } }, { ports: { store, clock }, workspace }) => {
      const list = last24h ? listEndpointsOfDay(store, workspace, clock.now()) : listEndpoints(store, workspace);
      return json(200, wholeList(await list));
    },
  }),
  route('GET /api/endpoints/{id}', {
    summary: 'Show an endpoint',
    description: 'With how it is, what waits for it, and how its latest calls ended.',
    answers: { 200: { description: 'The endpoint', schema: ShownEndpoint } },
    run: async ({ params }, { ports, workspace }) => {
      const endpoint = await findEndpoint(ports.store, workspace, params.id);
      return endpoint ? json(200, await endpointInFull(ports.store, endpoint, ports.clock.now())) : NO_ENDPOINT;
    },
  }),
  route('PATCH /api/endpoints/{id}', {
    summary: 'Change an endpoint',
    description:
      'What is left out stays as it is, but for `headers` where `url` leads to another host or port: they may hold a key, and ' +
      'are dropped unless they are given again. It counts for what is stored from then on.',
    body: changesOf(EndpointChanges.entries),
    example: { types: ['message.received'] },
    answers: { 200: { description: 'The endpoint', schema: Changed } },
    run: async ({ params, body }, { ports, workspace, origins }) => {
      const changed = await patchEndpoint(ports, workspace, params.id, body, origins);
      if (!changed) return NO_ENDPOINT;
      if ('issues' in changed) return invalid(changed.issues);
      const { endpoint, headersDropped } = changed;
      return json(200, { ...shownEndpoint(endpoint), ...(headersDropped.length > 0 && { headersDropped }) });
    },
  }),
  route('DELETE /api/endpoints/{id}', {
    summary: 'Delete an endpoint',
    description: 'What waits for it is told to nobody. This cannot be undone.',
    answers: { 204: { description: 'Deleted' } },
    run: async ({ params }, { ports, workspace }) =>
      (await deleteEndpoint(ports, workspace, params.id)) ? EMPTY : NO_ENDPOINT,
  }),
  route('POST /api/endpoints/{id}/rotate', {
    summary: 'Give an endpoint a new secret',
    description: 'For a time each call is signed with both, so that a receiver can be changed without losing one.',
    body: strictObject({
      graceSeconds: v.optional(v.pipe(Whole, v.minValue(0), v.maxValue(30 * 86_400)), 86_400),
    }),
    example: { graceSeconds: 86_400 },
    answers: { 200: { description: 'The endpoint with its new secret', schema: EndpointWithSecret } },
    run: async ({ params, body }, { ports, workspace }) => {
      const rotated = await rotateEndpoint(ports, workspace, params.id, body.graceSeconds);
      return rotated ? json(200, { ...shownEndpoint(rotated.endpoint), secret: rotated.secret }) : NO_ENDPOINT;
    },
  }),
  switching('enable'),
  switching('disable'),
  route('POST /api/endpoints/{id}/test', {
    summary: 'Call an endpoint with an example',
    description: 'Signed like every call; its `webhook-id` begins with `test_`. It is kept nowhere.',
    body: strictObject({ type: v.optional(v.picklist(ALL_NOTICE_TYPES), 'message.received') }),
    example: { type: 'message.received' },
    answers: { 200: { description: 'What it answered', schema: TestResult } },
    run: async ({ params, body }, { ports, workspace }) => {
      const endpoint = await findEndpoint(ports.store, workspace, params.id);
      if (!endpoint) return NO_ENDPOINT;
      const notice = bodyOf(endpoint, body.type, exampleOf(body.type));
      return json(200, await testEndpoint(ports, endpoint, notice));
    },
  }),
  route('GET /api/endpoints/{id}/deliveries', {
    summary: 'List what an endpoint was told, newest first',
    description:
      'By when the event was stored; kept for 30 days. With `state` a page may hold fewer than `limit`; the last one has no `cursor`.',
    query: strictObject({
      ...paging('deliveries'),
      state: optional(ShownDelivery.entries.state, 'Only what is in this state; `dead` is what was given up'),
    }),
    answers: { 200: { description: 'A page', schema: listOf(ShownDelivery) } },
    run: async ({ params, query: { state, ...page } }, { ports, workspace }) => {
      const endpoint = await findEndpoint(ports.store, workspace, params.id);
      return endpoint
        ? json(200, await listDeliveries(ports.store, endpoint.id, state, pageRequest(page)))
        : NO_ENDPOINT;
    },
  }),
  route('GET /api/deliveries/{id}', {
    summary: 'Show a delivery with its attempts',
    description: 'The latest 20 attempts, with the beginning of what was answered.',
    answers: { 200: { description: 'The delivery', schema: ShownDelivery } },
    run: async ({ params }, { ports, workspace }) =>
      found(await findDelivery(ports.store, workspace, params.id), NO_DELIVERY),
  }),
  route('POST /api/deliveries/{id}/retry', {
    summary: 'Call again at once',
    description: 'Whatever became of it before. With the same `webhook-id`, so that a receiver knows what it has had.',
    answers: { 202: { description: 'It is under way' } },
    run: async ({ params }, { ports, workspace }) =>
      (await retryDelivery(ports, workspace, params.id)) ? { status: 202, body: undefined } : NO_DELIVERY,
  }),
  route('POST /api/endpoints/{id}/replay', {
    summary: 'Tell an endpoint again',
    description:
      'Of what was stored in a time, in its order, each with its `webhook-id`. `missing` mends what was lost, or what came in while the endpoint was switched off. Only what the endpoint asks for is told, as fast as after an outage and not while it fails. No rule runs.',
    body: NewReplay,
    example: { since: '2026-02-28T12:00:00.000Z', only: 'failed' },
    answers: { 202: { description: 'It is under way', schema: ShownReplay } },
    run: async ({ params, body }, { ports, workspace }) => {
      const endpoint = await findEndpoint(ports.store, workspace, params.id);
      if (!endpoint) return NO_ENDPOINT;
      const started = await startReplay(ports, endpoint, body);
      return 'issues' in started ? invalid(started.issues) : json(202, started.replay);
    },
  }),
  route('GET /api/replays/{id}', {
    summary: 'Show how far a replay is',
    description:
      'Kept for 30 days. `finished` says that all is queued; the deliveries tell what the endpoint answered.',
    answers: { 200: { description: 'The replay', schema: ShownReplay } },
    run: async ({ params }, { ports, workspace }) =>
      found(await findReplay(ports.store, workspace, params.id), NO_REPLAY),
  }),
  route('GET /api/event-types', {
    summary: 'List the types of notices',
    description: 'With what each means, its JSON Schema and an example.',
    answers: { 200: { description: 'All', schema: NoticeTypes } },
    run: async () => json(200, { items: noticeSchemas() }),
  }),
];
