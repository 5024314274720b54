import { type ConversionConfig, type JsonSchema, toJsonSchema, toJsonSchemaDefs } from '@valibot/to-json-schema';
import * as v from 'valibot';
import { Figures } from '#lib/activity/counters.ts';
import { Hour, Summary } from '#lib/activity/summary.ts';
import { ShownAudit, ShownCredits, ShownLedgerEntry } from '#lib/credits/credits.ts';
import { Content, File } from '#lib/domain/content.ts';
import { Chat, Event, Message, OwnAccount, Person } from '#lib/domain/event.ts';
import { ALL_NOTICE_TYPES, NOTICE_TYPES, type NoticeType } from '#lib/domain/reaction/notice.ts';
import { Action, Guard, NewRule } from '#lib/domain/reaction/rule.ts';
import { Issue, optional, text } from '#lib/domain/schema.ts';
import { ShownChat } from '#lib/inbox/events.ts';
import { cursorBefore } from '#lib/inbox/feed.ts';
import { Replayed } from '#lib/inbox/quarantine.ts';
import { SendBody } from '#lib/outbox/request.ts';
import { ShownSend } from '#lib/outbox/shown.ts';
import { ShownDelivery } from '#lib/reactions/delivery.ts';
import { DeliveriesOfDay, ShownEndpoint } from '#lib/reactions/endpoints.ts';
import { Recipe } from '#lib/reactions/recipes.ts';
import { ShownReplay } from '#lib/reactions/replay.ts';
import { Run, RunsOfDay } from '#lib/reactions/rule.ts';
import { Trial } from '#lib/reactions/trial.ts';
import { TestedAccount } from '#lib/sender/open-accounts.ts';
import { ShownAccount } from '#lib/tenants/account.ts';
import { SCOPES, WorkspaceKey } from '#lib/tenants/api-keys.ts';
import { Attempt, LastCall } from '#lib/tenants/attempts.ts';
import { ShownWebhook } from '#lib/tenants/webhooks.ts';
import { Workspace } from '#lib/tenants/workspaces.ts';
import { type Answers, Problem } from './answers.ts';
import { scopesOf } from './auth.ts';
import { exampleOf } from './examples.ts';
import { isTagged, type Route, TAGS, takesBody } from './route.ts';
import { EndpointWithSecret } from './routes/endpoints.ts';
import { RuleWithSecret, ShownRule } from './routes/rules.ts';
import { ShownSession } from './routes/session.ts';
import { WebhookWithUrl } from './routes/webhooks.ts';

const contents = Content.options.map((schema) => variant(schema.entries.type.literal, 'Content', schema));
const actions = Action.options.map((schema) => variant(schema.entries.action.literal, 'Action', schema));
const events = Event.options.map((schema) => variant(schema.entries.kind.literal, 'Event', schema));

/** One of several shapes that a property tells apart: `poll_vote` is `PollVoteContent`. */
function variant(value: string, suffix: string, schema: v.GenericSchema) {
  const words = `_${value}`.replace(/_(\w)/g, (_match, letter: string) => letter.toUpperCase());
  return { value, name: `${words}${suffix}`, schema };
}

/** The schemas that stand in the document under a name of their own; generated clients take the names over. */
const definitions = {
  Account: ShownAccount,
  AccountTest: TestedAccount,
  Action,
  Attempt,
  Audit: ShownAudit,
  Chat: ShownChat,
  Content,
  Credits: ShownCredits,
  DeliveriesOfDay,
  Delivery: ShownDelivery,
  Endpoint: ShownEndpoint,
  EndpointWithSecret,
  Event,
  Figures,
  File,
  Guard,
  Hour,
  Issue,
  Key: WorkspaceKey,
  LedgerEntry: ShownLedgerEntry,
  Message,
  NewRule,
  OwnAccount,
  Person,
  Problem,
  ProviderChat: Chat,
  Recipe,
  Replay: ShownReplay,
  Replayed,
  Rule: ShownRule,
  RuleWithSecret,
  Run,
  RunsOfDay,
  Send: ShownSend,
  Session: ShownSession,
  Summary,
  Trial,
  Webhook: ShownWebhook,
  LastCall,
  WebhookWithUrl,
  Workspace,
  ...Object.fromEntries([...contents, ...events, ...actions].map(({ name, schema }) => [name, schema])),
};

const conversion = {
  target: 'draft-2020-12',
  // What callers write, before it is converted.
  typeMode: 'input',
  // A rule that JSON Schema has no word for, of ours or of a provider, makes the document looser and not impossible.
  errorMode: 'ignore',
  // What is always true or always false is written as any boolean: of a constant one, generators make code that is none.
  // And anything at all needs no word that it may be null as well.
  overrideSchema: ({ jsonSchema }) => {
    if (jsonSchema.anyOf?.some((one) => typeof one === 'object' && Object.keys(one).length === 0)) return {};
    return typeof jsonSchema.const === 'boolean' ? { type: 'boolean' } : undefined;
  },
  overrideRef: ({ referenceId }) => `#/components/schemas/${referenceId}`,
} satisfies ConversionConfig;

const STRING = { type: 'string' };
const header = (name: string, description: string, more = {}) => ({
  ...{ name, in: 'header', description, schema: STRING },
  ...more,
});

/**
 * The document of the API in OpenAPI 3.1, made of the schemas that check what comes in and type what goes out. It lacks
 * `servers`: the address at which it was asked for.
 */
export function openApi(routes: readonly Route[], providers: readonly string[], version: string) {
  const paths: Record<string, Record<string, object>> = {};
  const named = { ...definitions, ...madeBodies(routes) };
  for (const route of routes) paths[route.path] = { ...paths[route.path], [route.method]: operation(route, named) };
  return {
    openapi: '3.1.0',
    info: {
      title: 'Hookline',
      version,
      description: 'One inbox for the webhooks of WhatsApp and SMS providers.',
      contact: { name: 'The operator of this hub' },
      license: { name: 'MIT', identifier: 'MIT' },
    },
    tags: Object.entries({
      ...TAGS,
      Receiving: 'What providers call',
      Sending: 'What automations call',
    }).map(([name, description]) => ({ name, description })),
    security: [{ key: [] }],
    paths: { ...paths, ...receivingPath(providers), ...sendingPath() },
    webhooks: Object.fromEntries(ALL_NOTICE_TYPES.map((type) => [type, { post: notice(type) }])),
    components: {
      schemas: {
        ...toJsonSchemaDefs(named, conversion),
        ...shapesOfNewAccount(routes),
        Action: choiceOf('action', actions),
        Content: choiceOf('type', contents),
        Event: choiceOf('kind', events),
      },
      securitySchemes: {
        key: { type: 'http', scheme: 'bearer', description: 'The admin key, or the key of a workspace' },
      },
    },
  };
}

/** What an endpoint is called with. */
function notice(type: NoticeType): object {
  const data = exampleOf(type);
  const whole = events.find(({ value }) => value === data.kind);
  const required = { required: true };
  const ids = {
    type: 'object',
    description: 'Ids alone: the endpoint asks for no more, or it would be over 256 KB. The API has the rest',
    required: ['id', 'kind', 'truncated'],
    properties: { id: STRING, kind: STRING, truncated: { type: 'boolean' } },
  };
  return {
    operationId: `notice-${type}`.replace(/[^a-z]+(\w)/g, (_match, next: string) => next.toUpperCase()),
    tags: ['Endpoints'],
    summary: NOTICE_TYPES[type],
    description: 'Signed as Standard Webhooks says, and repeated until it is answered with a 2xx.',
    security: [],
    parameters: [
      header('webhook-id', 'The same each time that it is told: what you have had, you can tell by it', required),
      header('webhook-timestamp', 'Seconds, when the call was made', required),
      header('webhook-signature', 'One signature, or two while a secret is rotated', required),
      header('hookline-attempt', '1 for the first attempt', required),
    ],
    requestBody: {
      required: true,
      content: jsonOf(
        {
          type: 'object',
          required: ['type', 'timestamp', 'cursor', 'data'],
          properties: {
            type: { type: 'string', enum: [type] },
            timestamp: { type: 'string', format: 'date-time' },
            cursor: {
              type: 'string',
              description: 'For `GET /api/events?order=received`: what was stored from shortly before this event on',
            },
            data: { anyOf: [{ $ref: `#/components/schemas/${whole?.name}` }, ids] },
          },
        },
        { type, timestamp: data.receivedAt, cursor: cursorBefore(data.receivedAt), data },
      ),
    },
    responses: { '2XX': { description: 'Taken: it is not told again' } },
  };
}

/** A body that the providers make up, and that two routes take. */
function madeBodies(routes: readonly Route[]) {
  const creating = routes.find(({ method, path }) => method === 'post' && path === '/api/accounts');
  return creating ? { NewAccount: creating.body } : {};
}

/** Each shape of that body under a name of its own: of shapes without one, the generator for Python leaves some out. */
function shapesOfNewAccount(routes: readonly Route[]) {
  const { NewAccount: body } = madeBodies(routes);
  if (!body) return {};
  const shapes = shapesIn(schemaOf(body, definitions)).map((shape) => [nameOfShape(shape), shape] as const);
  const NewAccount = { oneOf: shapes.map(([name]) => ({ $ref: `#/components/schemas/${name}` })) };
  return { ...Object.fromEntries(shapes), NewAccount };
}

/** A choice may stand in a choice, as by channel in one by provider. */
const shapesIn = ({ oneOf, ...shape }: JsonSchema): readonly JsonSchema[] =>
  oneOf ? oneOf.flatMap((one) => (typeof one === 'object' ? shapesIn(one) : [])) : [shape];

/** `NewZenderSmsAccount` */
function nameOfShape({ properties = {} }: JsonSchema): string {
  const { provider, channel } = properties;
  const told = [provider, channel].flatMap((one) => (typeof one === 'object' ? [one.const, ...(one.enum ?? [])] : []));
  const words = told.filter((word) => typeof word === 'string').join('_');
  return `New${`_${words}`.replace(/[^a-zA-Z]+(\w)/g, (_match, letter: string) => letter.toUpperCase())}Account`;
}

function operation(route: Route, named: Readonly<Record<string, v.GenericSchema>>): object {
  const { method, path, tag, summary, description, access, inWorkspace } = route;
  return {
    operationId: `${method}${path.replace(/[^a-zA-Z]+(\w?)/g, (_match, next: string) => next.toUpperCase())}`,
    tags: [tag],
    summary,
    ...(access === 'public' && { security: [] }),
    description: `${description}${neededFor(route)}`,
    parameters: [
      ...parametersOf('path', route.params),
      ...parametersOf('query', route.query),
      ...(access === 'workspace' || inWorkspace ? [WORKSPACE] : []),
      ...(route.idempotent ? [IDEMPOTENCY_KEY] : []),
      ...(isTaggedJson(route) ? [IF_NONE_MATCH] : []),
    ],
    ...(takesBody(route.body) && {
      requestBody: {
        required: !v.is(route.body, {}),
        content: jsonOf(schemaOf(route.body, named), route.example),
      },
    }),
    responses: {
      ...responsesOf(route.answers),
      ...(isTaggedJson(route) && { 304: { description: 'As the caller has it: its `If-None-Match` still holds' } }),
      ...problemsOf(route),
    },
  };
}

/** Who may call it, where not every key may. */
function neededFor(route: Route): string {
  if (route.access === 'admin') return ' Needs the admin key.';
  const scopes = scopesOf(route);
  if (route.access === 'public' || scopes.length === SCOPES.length) return '';
  return ` Needs the admin key, or a key of scope ${scopes.map((scope) => `\`${scope}\``).join(' or ')}.`;
}

function choiceOf(property: string, variants: readonly { readonly value: string; readonly name: string }[]): object {
  const references = variants.map(({ value, name }) => [value, `#/components/schemas/${name}`] as const);
  return {
    oneOf: references.map(([, $ref]) => ({ $ref })),
    discriminator: { propertyName: property, mapping: Object.fromEntries(references) },
  };
}

const WORKSPACE = header('X-Workspace', 'With the admin key: the workspace that is meant, `main` if left out');
const IDEMPOTENCY_KEY = {
  ...header('Idempotency-Key', 'A repeat with the same key and body within a day is the same request'),
  schema: { type: 'string', minLength: 1, maxLength: 255 },
};
const IF_NONE_MATCH = header(
  'If-None-Match',
  'The `ETag` of an answer that the caller has: where it is still the same, the answer is 304 and empty',
);

const isTaggedJson = (route: Route): boolean => isTagged(route) && 'schema' in (route.answers[200] ?? {});

function jsonOf(schema: object, example?: unknown): object {
  return { 'application/json': { schema, ...(example !== undefined && { example }) } };
}

function schemaOf(schema: v.GenericSchema, named: Readonly<Record<string, v.GenericSchema>> = definitions) {
  const { $schema, $defs, ...converted } = toJsonSchema(schema, { ...conversion, definitions: named });
  return converted;
}

function parametersOf(place: 'path' | 'query', schema: v.GenericSchema): object[] {
  const { properties = {}, required = [] } = schemaOf(schema);
  return Object.entries(properties).map(([name, property]) => ({
    name,
    in: place,
    required: required.includes(name),
    ...(typeof property === 'object' && property.description !== undefined && { description: property.description }),
    schema: property,
  }));
}

function responsesOf(answers: Answers): object {
  const responses = Object.entries(answers).map(([status, answer]) => {
    const { description } = answer;
    if ('schema' in answer) return [status, { description, content: jsonOf(schemaOf(answer.schema)) }];
    return [status, 'mediaType' in answer ? { description, content: { [answer.mediaType]: {} } } : { description }];
  });
  return Object.fromEntries(responses);
}

const PROBLEM = jsonOf({ $ref: '#/components/schemas/Problem' });

/** Errors by their status, those that have a description. */
const problems = (described: Readonly<Record<number, string | false | undefined>>): object =>
  Object.fromEntries(
    Object.entries(described).flatMap(([status, description]) =>
      description ? [[status, { description, content: PROBLEM }]] : [],
    ),
  );

/** The errors that a route can answer by what it is. */
function problemsOf({ access, scopes, body, conflict, tooMany, charges }: Route): object {
  const hasBody = takesBody(body);
  const isPublic = access === 'public';
  const isBound = access === 'workspace' && scopes?.length !== SCOPES.length;
  return {
    ...(isPublic && { 429: { description: 'Too many requests a second, if a gateway stands before the hub' } }),
    ...problems({
      400: hasBody && 'The body is no JSON',
      401: (!isPublic || hasBody) && 'No valid key',
      402: charges && 'Not enough credits',
      403:
        (access === 'admin' && 'The key is not the admin key') ||
        (isBound && 'The scope of the key does not reach so far') ||
        (isPublic && hasBody && 'Called by a page of another origin'),
      404: (!isPublic || hasBody) && 'Unknown here: the workspace, or what the path names',
      409: conflict,
      413: hasBody && 'The body is too large',
      415: isPublic && hasBody && 'The content type is not JSON',
      422: (!isPublic || hasBody) && 'Not valid; `issues` says where',
      429: tooMany ?? (charges && "The account's queue is full"),
    }),
  };
}

/** What a provider is answered; the receiving functions answer it, the document only tells of it. */
const Receipt = v.object({
  status: v.picklist(['stored', 'duplicate', 'quarantined']),
  id: optional(
    v.string(),
    "The event's; of a duplicate, the one that was there before. While the table is out of reach, the one that it will " +
      'have, unless it contradicts an event that turns out to be there; left out where even the URL could not be looked ' +
      'up: such a delivery is judged when the table is back',
  ),
  ids: optional(v.array(v.string()), 'Of all events, where the body held several'),
  issues: optional(v.array(Issue), 'Why it was not understood; it is kept all the same'),
});

/** For a webhook of `sandbox`. */
const DELIVERY = { event: 'message', id: 'example-1', from: '+15550100099', name: 'Ana', text: 'Hello, Hookline!' };

export const RECEIVING_PATH = '/hooks/{provider}/{token}';

const TOKEN = { name: 'token', in: 'path', required: true, description: 'The end of the URL', schema: STRING };

function receivingPath(providers: readonly string[]): object {
  const post = {
    operationId: 'receive',
    tags: ['Receiving'],
    summary: 'Where a provider posts its events; the URL is what creating a webhook answers',
    description:
      'Every body is kept as it came. What is understood becomes events, the rest waits in quarantine. What comes twice ' +
      'is stored once.',
    security: [],
    parameters: [{ name: 'provider', in: 'path', required: true, schema: { ...STRING, enum: providers } }, TOKEN],
    requestBody: {
      required: true,
      description: "In the provider's own words, JSON or a form; the example is the sandbox's",
      // Of two kinds of body in one operation, the generator for Python makes code that does not run.
      content: jsonOf({ type: 'object' }, DELIVERY),
    },
    responses: {
      200: {
        description: 'It is kept, readable and replayable, whatever it was',
        content: jsonOf(schemaOf(Receipt)),
      },
      ...problems({
        401: "The provider's own secret or account does not match",
        404: 'No such webhook, or it is switched off or replaced',
        413: 'The body is larger than 1 MB',
        503: 'Not stored; please send it again',
      }),
    },
  };
  return { [RECEIVING_PATH]: { post } };
}

/** What a send request is answered; the function `send` answers it, the document only tells of it. */
const SendAccepted = v.object({
  status: v.literal('success'),
  data: v.object({ message_id: text('For `/api/sends/{messageId}`') }),
});

const MESSAGE = { action: 'send', phone: '+15550100099', text: 'Hello from Hookline' };

export const SENDING_PATH = '/send/{token}';

function sendingPath(): object {
  const post = {
    operationId: 'send',
    tags: ['Sending'],
    summary: 'Where a message is handed in; the URL is what creating a webhook of kind `send` answers',
    description:
      'A text, a file or both, for one recipient. It is charged and queued at once, and goes out when its turn has come ' +
      'on its account.',
    security: [],
    parameters: [TOKEN, IDEMPOTENCY_KEY],
    requestBody: { required: true, content: jsonOf(schemaOf(SendBody), MESSAGE) },
    responses: {
      200: { description: 'Charged and queued', content: jsonOf(schemaOf(SendAccepted)) },
      ...problems({
        400: 'The body is no JSON, or a field is wrong; the message names it',
        402: 'Not enough credits',
        404: 'No such webhook, no account to send from, or no such chat',
        409: '`chat_name` fits several chats, whose ids are told',
        413: 'The body is larger than 256 KB',
        422: 'The Idempotency-Key was used with another body',
        429: "The account's queue is full",
        503: 'Not queued now; please send it again',
      }),
    },
  };
  return { [SENDING_PATH]: { post } };
}
