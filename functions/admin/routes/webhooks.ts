import * as v from 'valibot';
import { optional, strictObject, text } from '#lib/domain/schema.ts';
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
import { EMPTY, file, found, invalid, json, missing, type ProblemReply, problem } from '../answers.ts';
import { type Context, routesOn } from '../route.ts';
import { allOf, Country, changesOf, Id, listOf, Name, Paging, pageRequest } from '../schemas.ts';

const NO_WEBHOOK = missing('webhook');
const route = routesOn({ tag: 'Webhooks', access: 'workspace' });
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

function newWebhook(providers: readonly string[]) {
  return v.variant('kind', [
    strictObject({
      kind: v.literal('receive'),
      provider: v.picklist(providers),
      accountId: optional(Id, 'Whose events come in here, where they name no account of the workspace themselves'),
      secret: optional(Secret, "The provider's own secret, checked as well as the URL; kept as a hash"),
      name: optional(Name),
    }),
    strictObject({
      kind: v.literal('send'),
      accountId: optional(Id, ACCOUNT_OF_SENDING),
      defaultCountry: optional(Country, COUNTRY),
      name: optional(Name),
    }),
  ]);
}

interface Kind {
  readonly kind: 'receive' | 'send';
  readonly provider?: string | undefined;
}

interface Wanted {
  readonly secret?: string | null | undefined;
  readonly defaultCountry?: string | null | undefined;
  readonly accountId?: string | null | undefined;
}

/** What of this a webhook of its kind and provider cannot have. */
async function refusal(
  { ports, workspace }: Context,
  { kind, provider: name }: Kind,
  { secret, defaultCountry, accountId: id }: Wanted,
): Promise<ProblemReply | undefined> {
  const refused = (path: string, message: string) => invalid([{ path, message }]);
  const provider = ports.providers.find(({ account }) => account.name === name);
  // A secret that nothing checks would only seem to protect.
  if (typeof secret === 'string' && !provider?.receiving.proofOf)
    return refused('secret', 'is not taken: nothing but the URL proves who calls this webhook');
  if (kind === 'receive') {
    if (typeof defaultCountry !== 'string') return undefined;
    return refused('defaultCountry', 'is not known here: providers tell numbers with their country');
  }
  const why = typeof id === 'string' ? await whyNoSender(ports.store, ports.providers, { workspace, id }) : undefined;
  return why === undefined ? undefined : refused('accountId', why);
}

const noAccount = ({ kind }: Kind): ProblemReply => {
  const message = `is no account ${kind === 'receive' ? 'of this provider ' : ''}in this workspace`;
  return invalid([{ path: 'accountId', message }]);
};

async function attemptsOf(id: string, { ports, workspace }: Context): Promise<readonly Attempt[] | undefined> {
  const [found, attempts] = await Promise.all([
    findWebhook(ports.store, workspace, id),
    lastAttempts(ports.store, id, ports.clock.now()),
  ]);
  return found && attempts;
}

/** The attempts as a file for download. */
const attemptsAs = (extension: string, mediaType: string, write: (attempts: readonly Attempt[]) => string) =>
  ({
    answers: { 200: { description: 'One activation a line', mediaType } },
    run: async ({ params }: { readonly params: { readonly id: string } }, context: Context) => {
      const attempts = await attemptsOf(params.id, context);
      if (!attempts) return NO_WEBHOOK;
      return file(write(attempts), {
        'content-type': `${mediaType}; charset=utf-8`,
        'content-disposition': `attachment; filename="${params.id}-attempts.${extension}"`,
      });
    },
  }) as const;

const creating = (providers: readonly string[]) =>
  route('POST /api/webhooks', {
    summary: 'Create a webhook URL, for a provider to call or for sending',
    description:
      'The answer holds the URL with its secret token, which no later answer does. A provider posts its events to one of kind `receive`, an automation its messages to one of kind `send`.',
    body: newWebhook(providers),
    example: { kind: 'receive', provider: 'sandbox', name: 'Support line' },
    answers: { 201: { description: 'The webhook with its URL', schema: WebhookWithUrl } },
    run: async ({ body }, context) => {
      const { ports, workspace, baseUrl } = context;
      const refused = await refusal(context, body, body);
      if (refused) return refused;
      const created = await createWebhook(ports, workspace, body);
      if (created === 'no account') return noAccount(body);
      return json(201, { ...shownWebhook(created.webhook), url: `${baseUrl}${created.path}` });
    },
  });

const others = [
  route('GET /api/webhooks', {
    summary: 'List webhooks, newest first',
    description:
      'Without their URLs, which hold secrets; `tokenPrefix` tells them apart. `lastCall` says when each was last called, and what it answered.',
    query: Paging('webhooks'),
    answers: { 200: { description: 'A page', schema: listOf(ShownWebhook) } },
    run: async ({ query }, { ports, workspace }) => {
      return json(200, await listWebhooks(ports.store, workspace, pageRequest(query), ports.clock.now()));
    },
  }),
  route('GET /api/webhooks/{id}', {
    summary: 'Show a webhook',
    description: 'Without its URL, which holds a secret. Who has lost that gives the webhook a new one.',
    answers: { 200: { description: 'The webhook', schema: ShownWebhook } },
    run: async ({ params }, { ports, workspace }) =>
      found(await showWebhook(ports.store, workspace, params.id, ports.clock.now()), NO_WEBHOOK),
  }),
  route('PATCH /api/webhooks/{id}', {
    summary: 'Switch a webhook on or off, rename it, change its secret, its account or its country',
    description: 'What is left out stays as it is. The URL of a webhook that is switched off answers 404.',
    body: Patch,
    example: { enabled: true, name: 'Support line' },
    answers: { 200: { description: 'The webhook', schema: ShownWebhook } },
    run: async ({ params, body }, context) => {
      const { ports, workspace } = context;
      const { webhook } = (await findWebhook(ports.store, workspace, params.id)) ?? {};
      if (!webhook) return NO_WEBHOOK;
      const refused = await refusal(context, webhook, body);
      if (refused) return refused;
      const patched = await patchWebhook(ports, workspace, params.id, body);
      if (patched === 'no account') return noAccount(webhook);
      return patched === 'missing' ? NO_WEBHOOK : json(200, shownWebhook(patched));
    },
  }),
  route('DELETE /api/webhooks/{id}', {
    summary: 'Delete a webhook; what came in through it stays',
    description: 'This cannot be undone. To stop a webhook for a while, switch it off.',
    answers: { 204: { description: 'Deleted' } },
    run: async ({ params }, { ports, workspace }) =>
      (await deleteWebhook(ports, workspace, params.id)) ? EMPTY : NO_WEBHOOK,
  }),
  route('POST /api/webhooks/{id}/rotate', {
    summary: 'Give a webhook a new URL; the old one stops at once',
    description: 'For when others have come to know the URL. The webhook keeps its id and its settings.',
    conflict: 'It was changed at the same time',
    answers: { 200: { description: 'The webhook with its new URL', schema: WebhookWithUrl } },
    run: async ({ params }, { ports, workspace, baseUrl }) => {
      const rotated = await rotateWebhook(ports, workspace, params.id);
      if (rotated === 'missing') return NO_WEBHOOK;
      if (rotated === 'changed') return problem(409, 'The webhook was changed at the same time; try again');
      return json(200, { ...shownWebhook(rotated.webhook), url: `${baseUrl}${rotated.path}` });
    },
  }),
  route('GET /api/webhooks/{id}/attempts', {
    summary: 'The last 100 activations of a webhook, newest first',
    description:
      'When its URL was called, what was answered and why, with the request, its secrets taken out. Kept for 90 days at most.',
    answers: { 200: { description: 'All of them: there is no next page', schema: allOf(Attempt) } },
    run: async ({ params }, context) => {
      const items = await attemptsOf(params.id, context);
      return found(items && { items }, NO_WEBHOOK);
    },
  }),
  route('GET /api/webhooks/{id}/attempts.csv', {
    summary: 'The same as CSV, safe to open in a spreadsheet',
    description: 'For people: one activation a line, the newest first.',
    ...attemptsAs('csv', 'text/csv', attemptsAsCsv),
  }),
  route('GET /api/webhooks/{id}/attempts.ndjson', {
    summary: 'The same as one JSON object a line',
    description: 'For programs: one activation a line, the newest first.',
    ...attemptsAs('ndjson', 'application/x-ndjson', attemptsAsNdjson),
  }),
];

export const webhookRoutes = (providers: readonly string[]) => [creating(providers), ...others];
