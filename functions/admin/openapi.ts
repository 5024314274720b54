import { type ConversionConfig, toJsonSchema, toJsonSchemaDefs } from '@valibot/to-json-schema';
import type * as v from 'valibot';
import { ShownAccount } from '#lib/app/accounts/account.ts';
import { Attempt } from '#lib/app/attempts/attempt.ts';
import { KnownChat } from '#lib/app/chats/list.ts';
import { Replayed } from '#lib/app/events/replayed.ts';
import { ShownSend } from '#lib/app/sends/shown.ts';
import { ShownWebhook } from '#lib/app/webhooks/shown.ts';
import { WorkspaceKey } from '#lib/app/workspaces/keys.ts';
import { Workspace } from '#lib/app/workspaces/workspace.ts';
import { Content, File } from '#lib/domain/content.ts';
import { Event, MessageEvent } from '#lib/domain/event.ts';
import { Issue } from '#lib/domain/issue.ts';
import { Chat, Message, Person } from '#lib/domain/message.ts';
import { type Answers, Problem } from './answers.ts';
import { problemsOf } from './problems.ts';
import { receivingPath } from './receiving.ts';
import { type Route, takesBody } from './route.ts';
import { sendingPath } from './sending.ts';

/** The schemas that stand in the document under a name of their own. */
const definitions = {
  Account: ShownAccount,
  Attempt,
  Chat: KnownChat,
  Content,
  Event,
  File,
  Issue,
  Key: WorkspaceKey,
  Message,
  MessageEvent,
  Person,
  Problem,
  ProviderChat: Chat,
  Replayed,
  Send: ShownSend,
  Webhook: ShownWebhook,
  Workspace,
};

const conversion = {
  target: 'draft-2020-12',
  // What callers write, before it is converted.
  typeMode: 'input',
  // A rule that JSON Schema has no word for, of ours or of a provider, makes the document looser and not impossible.
  errorMode: 'ignore',
  overrideRef: ({ referenceId }) => `#/components/schemas/${referenceId}`,
} satisfies ConversionConfig;

/**
 * The document of the API in OpenAPI 3.1, made of the schemas that check what comes in and type what goes out. It lacks
 * `servers`: the address at which it was asked for.
 */
export function openApi(routes: readonly Route[], providers: readonly string[], version: string) {
  const paths: Record<string, Record<string, object>> = {};
  for (const route of routes) paths[route.path] = { ...paths[route.path], [route.method]: operation(route) };
  return {
    openapi: '3.1.0',
    info: {
      title: 'Hookline',
      version,
      description: 'One inbox for the webhooks of WhatsApp and SMS providers.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    tags: [...new Set([...routes.map(({ tag }) => tag), 'Receiving', 'Sending'])].map((name) => ({ name })),
    security: [{ key: [] }],
    paths: { ...paths, ...receivingPath(providers, schemaOf), ...sendingPath(schemaOf) },
    components: {
      schemas: toJsonSchemaDefs(definitions, conversion),
      securitySchemes: {
        key: { type: 'http', scheme: 'bearer', description: 'The admin key, or the key of a workspace' },
      },
    },
  };
}

function operation(route: Route): object {
  const { method, path, tag, summary, access, inWorkspace } = route;
  return {
    operationId: `${method}${path.replace(/[^a-zA-Z]+(\w?)/g, (_match, next: string) => next.toUpperCase())}`,
    tags: [tag],
    summary,
    ...(access === 'public' && { security: [] }),
    ...(access === 'admin' && { description: 'Needs the admin key.' }),
    parameters: [
      ...parametersOf('path', route.params),
      ...parametersOf('query', route.query),
      ...(access === 'workspace' || inWorkspace ? [WORKSPACE] : []),
    ],
    ...(takesBody(route.body) && {
      requestBody: { content: { 'application/json': { schema: schemaOf(route.body), example: route.example } } },
    }),
    responses: { ...responsesOf(route.answers), ...problemsOf(route) },
  };
}

const WORKSPACE = {
  name: 'X-Workspace',
  in: 'header',
  description: 'With the admin key: the workspace that is meant, `main` if left out',
  schema: { type: 'string' },
};

function schemaOf(schema: v.GenericSchema) {
  const { $schema, $defs, ...converted } = toJsonSchema(schema, { ...conversion, definitions });
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
    if ('schema' in answer) {
      return [status, { description, content: { 'application/json': { schema: schemaOf(answer.schema) } } }];
    }
    return [status, 'mediaType' in answer ? { description, content: { [answer.mediaType]: {} } } : { description }];
  });
  return Object.fromEntries(responses);
}
