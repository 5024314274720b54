import * as v from 'valibot';
import type { Provider } from '#lib/app/provider.ts';
import { createWebhook } from '#lib/app/webhooks/create.ts';
import { deleteWebhook, findWebhook, listWebhooks, patchWebhook } from '#lib/app/webhooks/manage.ts';
import { rotateWebhook } from '#lib/app/webhooks/rotate.ts';
import { ShownWebhook, shownWebhook } from '#lib/app/webhooks/shown.ts';
import { optional, text } from '#lib/domain/schema.ts';
import { EMPTY, invalid, json, missing, problem } from '../answers.ts';
import { route, takesNothing } from '../route.ts';
import { changesOf, Id, listOf, Name, Paging, pageRequest, WithId } from '../schemas.ts';
import { NOT_OF_SENDING, uselessSecret } from '../secret-use.ts';
import { attemptRoutes } from './attempts.ts';

const NO_WEBHOOK = missing('webhook');
const shared = { ...takesNothing, tag: 'Webhooks', access: 'workspace' } as const;
const Secret = v.pipe(v.string(), v.minLength(1), v.maxLength(1000));

const WithUrl = v.object({
  ...ShownWebhook.entries,
  url: text('Holds the token: who knows it may call. Shown this once'),
});

const Patch = changesOf({
  enabled: optional(v.boolean(), 'False: the URL answers 404'),
  name: optional(v.nullable(Name)),
  secret: optional(v.nullable(Secret), '`null` removes it'),
});

function newWebhook(providers: readonly string[]) {
  return v.variant('kind', [
    v.strictObject({
      kind: v.literal('receive'),
      provider: v.picklist(providers),
      accountId: optional(Id, 'The account whose events come in here'),
      secret: optional(Secret, "The provider's own secret, checked as well as the URL; kept as a hash"),
      name: optional(Name),
    }),
    v.strictObject({ kind: v.literal('send'), name: optional(Name) }, ({ expected, path, message }) =>
      expected === 'never' ? (NOT_OF_SENDING.get(String(path?.[0]?.key)) ?? message) : message,
    ),
  ]);
}

const NO_ACCOUNT = { path: 'accountId', message: 'is no account of this provider in this workspace' };

function creating(providers: readonly Provider[]) {
  return route({
    ...shared,
    method: 'post',
    path: '/api/webhooks',
    summary: 'Create a webhook URL, for a provider to call or for sending',
    body: () => newWebhook(providers.map(({ account }) => account.name)),
    example: { kind: 'receive', provider: 'sandbox', name: 'Support line' },
    answers: { 201: { description: 'The webhook with its URL', schema: WithUrl } },
    run: async ({ body }, { ports, workspace, baseUrl }) => {
      const useless = body.kind === 'receive' && body.secret !== undefined && uselessSecret(providers, body);
      if (useless) return useless;
      const created = await createWebhook(ports, workspace, body);
      if (created.kind === 'no account') return invalid([NO_ACCOUNT]);
      return json(201, { ...shownWebhook(created.webhook), url: `${baseUrl}${created.path}` });
    },
  });
}

const listing = route({
  ...shared,
  method: 'get',
  path: '/api/webhooks',
  summary: 'List webhooks, newest first',
  query: Paging,
  answers: { 200: { description: 'A page', schema: listOf(ShownWebhook) } },
  run: async ({ query }, { ports, workspace }) => {
    const { items, ...rest } = await listWebhooks(ports.store, workspace, pageRequest(query));
    return json(200, { items: items.map(shownWebhook), ...rest });
  },
});

const showing = route({
  ...shared,
  method: 'get',
  path: '/api/webhooks/{id}',
  summary: 'Show a webhook',
  params: WithId,
  answers: { 200: { description: 'The webhook', schema: ShownWebhook } },
  run: async ({ params }, { ports, workspace }) => {
    const found = await findWebhook(ports.store, workspace, params.id);
    return found ? json(200, shownWebhook(found.webhook)) : NO_WEBHOOK;
  },
});

function patching(providers: readonly Provider[]) {
  return route({
    ...shared,
    method: 'patch',
    path: '/api/webhooks/{id}',
    summary: 'Switch a webhook on or off, rename it, change its secret',
    params: WithId,
    body: Patch,
    example: { enabled: true, name: 'Support line' },
    answers: { 200: { description: 'The webhook', schema: ShownWebhook } },
    run: async ({ params, body }, { ports, workspace }) => {
      const found = await findWebhook(ports.store, workspace, params.id);
      if (!found) return NO_WEBHOOK;
      const useless = typeof body.secret === 'string' && uselessSecret(providers, found.webhook);
      if (useless) return useless;
      const webhook = await patchWebhook(ports.store, workspace, params.id, body);
      return webhook ? json(200, shownWebhook(webhook)) : NO_WEBHOOK;
    },
  });
}

const deleting = route({
  ...shared,
  method: 'delete',
  path: '/api/webhooks/{id}',
  summary: 'Delete a webhook; what came in through it stays',
  params: WithId,
  answers: { 204: { description: 'Deleted' } },
  run: async ({ params }, { ports, workspace }) =>
    (await deleteWebhook(ports, workspace, params.id)) ? EMPTY : NO_WEBHOOK,
});

const rotating = route({
  ...shared,
  method: 'post',
  path: '/api/webhooks/{id}/rotate',
  summary: 'Give a webhook a new URL; the old one stops at once',
  conflict: 'It was changed at the same time',
  params: WithId,
  answers: { 200: { description: 'The webhook with its new URL', schema: WithUrl } },
  run: async ({ params }, { ports, workspace, baseUrl }) => {
    const rotated = await rotateWebhook(ports, workspace, params.id);
    if (rotated.kind === 'missing') return NO_WEBHOOK;
    if (rotated.kind === 'changed') return problem(409, 'The webhook was changed at the same time; try again');
    return json(200, { ...shownWebhook(rotated.webhook), url: `${baseUrl}${rotated.path}` });
  },
});

export const webhookRoutes = (providers: readonly Provider[]) => [
  creating(providers),
  listing,
  showing,
  patching(providers),
  deleting,
  rotating,
  ...attemptRoutes,
];
