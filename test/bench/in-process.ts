import * as outbound from '#functions/outbound.ts';
import { marshalMap } from '#lib/aws/dynamo-store.ts';
import { readEnvironment } from '#lib/aws/environment.ts';
import { reportingWebhookHandler, webhookHandler } from '#lib/aws/http-entries.ts';
import { type Runtime, runtimeOf } from '#lib/aws/runtime.ts';
import { sha256 } from '#lib/domain/ids.ts';
import { type Webhook, webhookItem } from '#lib/tenants/webhooks.ts';
import { ok, settingsOver, type Wire } from '#test/support/aws-wire.ts';
import { gatewayEvent, type Traffic } from './traffic.ts';

export const TOKEN = 'a-token-of-the-benchmarks-that-is-as-long-as-those-are';

/** The row of the webhook that all benchmark traffic comes in through. */
export const webhookRow = (provider: string) => rowOf({ kind: 'receive', provider });

/** The row of the webhook through which messages are sent. */
export const sendWebhookRow = () => rowOf({ kind: 'send' });

function rowOf(kind: Pick<Webhook, 'kind' | 'provider'>) {
  const webhook: Webhook = {
    webhookId: 'wh_bench',
    workspace: 'main',
    ...kind,
    enabled: true,
    rotated: false,
    tokenPrefix: TOKEN.slice(0, 6),
    createdAt: '2026-01-01T00:00:00.000Z',
  };
  return webhookItem(sha256(TOKEN), webhook);
}

/** The handler of a provider as it is deployed, but for the wire below the signed requests. */
export function receivingThrough(traffic: Traffic, table: string, wire: Wire) {
  const reports = Object.values(outbound).some(({ name }) => name === traffic.provider.name);
  const handlerOf = reports ? reportingWebhookHandler : webhookHandler;
  const handler = handlerOf(
    traffic.provider,
    runtimeOn(table, wire, { HOOKLINE_TICKS_QUEUE_URL: 'http://127.0.0.1/ticks' }),
  );
  return async (body: string): Promise<void> => {
    const answer = await handler(gatewayEvent(traffic, TOKEN, body));
    if (!answer.body?.includes('"stored"')) throw new Error(`${traffic.provider.name} answered ${answer.body}`);
  };
}

/** What a function is given, with this wire below the signed requests of all its services. */
export function runtimeOn(table: string, wire: Wire, more: Readonly<Record<string, string>> = {}): Runtime {
  const settings = settingsOver(wire);
  const environment = readEnvironment({
    HOOKLINE_TABLE: table,
    HOOKLINE_FALLBACK_QUEUE_URL: 'http://127.0.0.1/none',
    AWS_REGION: settings.region,
    ...more,
  });
  return runtimeOf(environment, settings);
}

/** What a chat tells of itself in the answer to a write. */
const TOLD = ['names', 'title', 'phone', 'foundBy'];

/**
 * Answers as the table does in the everyday: the webhook is there, every write is done, and a chat knows what was written
 * of it. A first message of a chat tells its names and its title, so what counts is a later one.
 */
export function everyday(provider: string): Wire {
  const webhook = ok({ Item: marshalMap(webhookRow(provider)) });
  const done = ok();
  const chats = new Map<string, Record<string, unknown>>();
  const written = ({
    Key,
    UpdateExpression,
    ExpressionAttributeNames = {},
    ExpressionAttributeValues = {},
  }: UpdateInput) => {
    const chat = chats.get(Key.pk.S) ?? {};
    chats.set(Key.pk.S, chat);
    for (const [alias, name] of Object.entries(ExpressionAttributeNames)) {
      const value = TOLD.includes(name) && new RegExp(`${alias} = (:\\w+)`).exec(UpdateExpression)?.[1];
      if (value) chat[name] = ExpressionAttributeValues[value];
    }
    return { ...Key, chatId: { S: Key.pk.S.split('#')[1] }, ...chat };
  };
  return async (operation, _headers, body) => {
    if (operation === 'GetItem') return webhook;
    if (operation === 'UpdateItem') return ok({ Attributes: written(JSON.parse(body)) });
    if (operation === 'TransactWriteItems')
      for (const { Update } of JSON.parse(body).TransactItems) if (Update) written(Update);
    return done;
  };
}

interface UpdateInput {
  readonly Key: { readonly pk: { readonly S: string } };
  readonly UpdateExpression: string;
  readonly ExpressionAttributeNames?: Readonly<Record<string, string>>;
  readonly ExpressionAttributeValues?: Readonly<Record<string, unknown>>;
}
