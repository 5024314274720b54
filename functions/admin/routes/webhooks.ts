import * as v from 'valibot';
import { optional, strictObject, text } from '#lib/domain/schema.ts';
import type { Provider } from '#lib/tenants/account.ts';
import { whyNoSender } from '#lib/tenants/accounts.ts';
import { Attempt, attemptsAsCsv, attemptsAsNdjson, lastAttempts } from '#lib/tenants/attempts.ts';
import {
  createWebhook,
  deleteWebhook,
  findWebhook,
  listWebhooks,
  patchWebhook,
  rotateWebhook,
  ShownWebhook,
  shownWebhook,
  showWebhook,
} from '#lib/tenants/webhooks.ts';
import { EMPTY, file, invalid, json, missing, type ProblemReply, problem } from '../answers.ts';
import { type Context, route, takesNothing } from '../route.ts';
import { Country, changesOf, Id, listOf, Name, Paging, pageRequest, WithId } from '../schemas.ts';

const NO_WEBHOOK = missing('webhook');
const shared = { ...takesNothing, tag: 'Webhooks', access: 'workspace' } as const;
const Secret = v.pipe(v.string(), v.minLength(1), v.maxLength(1000));

export const WebhookWithUrl = v.object({
  ...ShownWebhook.entries,
  url: text('Holds the token: who knows it may call. Shown this once'),
});

const ACCOUNT_OF_SENDING = 'The account that sends what is posted here and names none';
const COUNTRY = 'Numbers without + that are posted here are read as its own; else as the workspace says';

const Patch = changesOf({
  enabled: optional(v.boolean(), 'False: the URL answers 404'),
  name: optional(v.nullable(Name)),
  secret: optional(v.nullable(Secret), '`null` removes it'),
  accountId: optional(v.nullable(Id), 'Whose events come in here, or who sends what names no account; `null`: any'),
  defaultCountry: optional(v.nullable(Country), `${COUNTRY}. Only of kind \`send\`; \`null\` removes it`),
});

/** What is said to who gives a webhook for sending what only one for receiving takes. */
const NOT_OF_SENDING = new Map([
  ['provider', 'is not taken for sending: the account of each message says through whom it goes'],
  ['secret', 'is not taken for sending: its URL alone is the credential'],
]);

interface Proven {
  readonly kind: 'receive' | 'send';
  readonly provider?: string | undefined;
}

/** A secret that nothing checks would only seem to protect: undefined where the provider's deliveries are checked by it. */
function uselessSecret(providers: readonly Provider[], { kind, provider: name }: Proven): ProblemReply | undefined {
  if (providers.find(({ account }) => account.name === name)?.receiving.proofOf) return undefined;
  const ofReceiving = `is not taken: ${name} proves itself by its URL alone`;
  const message = (kind === 'send' && NOT_OF_SENDING.get('secret')) || ofReceiving;
  return invalid([{ path: 'secret', message }]);
}

const OF_RECEIVING = 'is not taken for receiving: providers tell numbers with their country';

function newWebhook(providers: readonly string[]) {
  return v.variant('kind', [
    strictObject(
      {
        kind: v.literal('receive'),
        provider: v.picklist(providers),
        accountId: optional(Id, 'Whose events come in here, where they name no account of the workspace themselves'),
        secret: optional(Secret, "The provider's own secret, checked as well as the URL; kept as a hash"),
        name: optional(Name),
      },
      ({ expected, path }) => (expected === 'never' && path?.[0]?.key === 'defaultCountry' ? OF_RECEIVING : undefined),
    ),
    strictObject(
      {
        kind: v.literal('send'),
        accountId: optional(Id, ACCOUNT_OF_SENDING),
        defaultCountry: optional(Country, COUNTRY),
        name: optional(Name),
      },
      ({ expected, path }) => (expected === 'never' ? NOT_OF_SENDING.get(String(path?.[0]?.key)) : undefined),
    ),
  ]);
}

const noAccount = (kind: 'receive' | 'send'): ProblemReply => {
  const message = `is no account ${kind === 'receive' ? 'of this provider ' : ''}in this workspace`;
  return invalid([{ path: 'accountId', message }]);
};

/** Undefined where the webhook may be tied to the account. */
async function noSender(
  { ports, workspace }: Context,
  { kind }: Proven,
  id: string | null | undefined,
): Promise<ProblemReply | undefined> {
  if (kind === 'receive' || typeof id !== 'string') return undefined;
  const message = await whyNoSender(ports.store, ports.providers, { workspace, id });
  return message === undefined ? undefined : invalid([{ path: 'accountId', message }]);
}

function creating(providers: readonly Provider[]) {
  return route({
    ...shared,
    method: 'post',
    path: '/api/webhooks',
    summary: 'Create a webhook URL, for a provider to call or for sending',
    description:
      'The answer holds the URL with its secret token, which no later answer does. A provider posts its events to one of kind `receive`, an automation its messages to one of kind `send`.',
    body: () => newWebhook(providers.map(({ account }) => account.name)),
    example: { kind: 'receive', provider: 'sandbox', name: 'Support line' },
    answers: { 201: { description: 'The webhook with its URL', schema: WebhookWithUrl } },
    run: async ({ body }, context) => {
      const { ports, workspace, baseUrl } = context;
      const useless = body.kind === 'receive' && body.secret !== undefined && uselessSecret(providers, body);
      if (useless) return useless;
      const untied = await noSender(context, body, body.accountId);
      if (untied) return untied;
      const created = await createWebhook(ports, workspace, body);
      if (created.kind === 'no account') return noAccount(body.kind);
      return json(201, { ...shownWebhook(created.webhook), url: `${baseUrl}${created.path}` });
    },
  });
}

const listing = route({
  ...shared,
  method: 'get',
  path: '/api/webhooks',
  summary: 'List webhooks, newest first',
  description:
    'Without their URLs, which hold secrets; `tokenPrefix` tells them apart. `lastCall` says when each was last called, and what it answered.',
  query: Paging('webhooks'),
  answers: { 200: { description: 'A page', schema: listOf(ShownWebhook) } },
  run: async ({ query }, { ports, workspace }) => {
    return json(200, await listWebhooks(ports.store, workspace, pageRequest(query), ports.clock.now()));
  },
});

const showing = route({
  ...shared,
  method: 'get',
  path: '/api/webhooks/{id}',
  summary: 'Show a webhook',
  description: 'Without its URL, which holds a secret. Who has lost that gives the webhook a new one.',
  params: WithId,
  answers: { 200: { description: 'The webhook', schema: ShownWebhook } },
  run: async ({ params }, { ports, workspace }) => {
    const shown = await showWebhook(ports.store, workspace, params.id, ports.clock.now());
    return shown ? json(200, shown) : NO_WEBHOOK;
  },
});

function patching(providers: readonly Provider[]) {
  return route({
    ...shared,
    method: 'patch',
    path: '/api/webhooks/{id}',
    summary: 'Switch a webhook on or off, rename it, change its secret, its account or its country',
    description: 'What is left out stays as it is. The URL of a webhook that is switched off answers 404.',
    params: WithId,
    body: Patch,
    example: { enabled: true, name: 'Support line' },
    answers: { 200: { description: 'The webhook', schema: ShownWebhook } },
    run: async ({ params, body }, context) => {
      const { ports, workspace } = context;
      const found = await findWebhook(ports.store, workspace, params.id);
      if (!found) return NO_WEBHOOK;
      const useless = typeof body.secret === 'string' && uselessSecret(providers, found.webhook);
      if (useless) return useless;
      const { kind } = found.webhook;
      if (kind === 'receive' && typeof body.defaultCountry === 'string') {
        return invalid([{ path: 'defaultCountry', message: OF_RECEIVING }]);
      }
      const untied = await noSender(context, found.webhook, body.accountId);
      if (untied) return untied;
      const patched = await patchWebhook(ports, workspace, params.id, body);
      if (patched.kind === 'no account') return noAccount(kind);
      return patched.kind === 'patched' ? json(200, shownWebhook(patched.webhook)) : NO_WEBHOOK;
    },
  });
}

const deleting = route({
  ...shared,
  method: 'delete',
  path: '/api/webhooks/{id}',
  summary: 'Delete a webhook; what came in through it stays',
  description: 'This cannot be undone. To stop a webhook for a while, switch it off.',
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
  description: 'For when others have come to know the URL. The webhook keeps its id and its settings.',
  conflict: 'It was changed at the same time',
  params: WithId,
  answers: { 200: { description: 'The webhook with its new URL', schema: WebhookWithUrl } },
  run: async ({ params }, { ports, workspace, baseUrl }) => {
    const rotated = await rotateWebhook(ports, workspace, params.id);
    if (rotated.kind === 'missing') return NO_WEBHOOK;
    if (rotated.kind === 'changed') return problem(409, 'The webhook was changed at the same time; try again');
    return json(200, { ...shownWebhook(rotated.webhook), url: `${baseUrl}${rotated.path}` });
  },
});

const ofOne = { ...shared, method: 'get', params: WithId } as const;

async function attemptsOf(id: string, { ports, workspace }: Context): Promise<readonly Attempt[] | undefined> {
  const [found, attempts] = await Promise.all([
    findWebhook(ports.store, workspace, id),
    lastAttempts(ports.store, id, ports.clock.now()),
  ]);
  return found && attempts;
}

function download(id: string, extension: string, mediaType: string) {
  return {
    'content-type': `${mediaType}; charset=utf-8`,
    'content-disposition': `attachment; filename="${id}-attempts.${extension}"`,
  };
}

const attemptRoutes = [
  route({
    ...ofOne,
    path: '/api/webhooks/{id}/attempts',
    summary: 'The last 100 activations of a webhook, newest first',
    description:
      'When its URL was called, what was answered and why, with the request, its secrets taken out. Kept for 90 days at most.',
    answers: {
      200: {
        description: 'All of them: there is no next page',
        schema: v.object({ items: v.pipe(v.array(Attempt), v.readonly()) }),
      },
    },
    run: async ({ params }, context) => {
      const attempts = await attemptsOf(params.id, context);
      return attempts ? json(200, { items: attempts }) : NO_WEBHOOK;
    },
  }),
  route({
    ...ofOne,
    path: '/api/webhooks/{id}/attempts.csv',
    summary: 'The same as CSV, safe to open in a spreadsheet',
    description: 'For people: one activation a line, the newest first.',
    answers: { 200: { description: 'A head row, then one line an activation', mediaType: 'text/csv' } },
    run: async ({ params }, context) => {
      const attempts = await attemptsOf(params.id, context);
      return attempts ? file(attemptsAsCsv(attempts), download(params.id, 'csv', 'text/csv')) : NO_WEBHOOK;
    },
  }),
  route({
    ...ofOne,
    path: '/api/webhooks/{id}/attempts.ndjson',
    summary: 'The same as one JSON object a line',
    description: 'For programs: one activation a line, the newest first.',
    answers: { 200: { description: 'One activation a line', mediaType: 'application/x-ndjson' } },
    run: async ({ params }, context) => {
      const attempts = await attemptsOf(params.id, context);
      if (!attempts) return NO_WEBHOOK;
      return file(attemptsAsNdjson(attempts), download(params.id, 'ndjson', 'application/x-ndjson'));
    },
  }),
];

export const webhookRoutes = (providers: readonly Provider[]) => [
  creating(providers),
  listing,
  showing,
  patching(providers),
  deleting,
  rotating,
  ...attemptRoutes,
];
