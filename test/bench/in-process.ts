import { marshalMap } from '#lib/aws/dynamo-store.ts';
import { readEnvironment } from '#lib/aws/environment.ts';
import { webhookHandler } from '#lib/aws/http-entries.ts';
import { type Runtime, runtimeOf } from '#lib/aws/runtime.ts';
import { sha256 } from '#lib/domain/ids.ts';
import { type Webhook, webhookItem } from '#lib/tenants/webhook.ts';
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
  const handler = webhookHandler(traffic.provider, runtimeOn(table, wire));
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

/**
 * Answers as the table does in the everyday: the webhook is there, every write is done, and a chat knows the names that
 * were written for it. A first message of a chat tells those, so what counts is a later one.
 */
export function everyday(provider: string): Wire {
  const webhook = ok({ Item: marshalMap(webhookRow(provider)) });
  const done = ok();
  const names = new Map<string, unknown>();
  return async (operation, _headers, body) => {
    if (operation === 'GetItem') return webhook;
    if (operation !== 'UpdateItem') return done;
    const { Key, UpdateExpression, ExpressionAttributeNames = {}, ExpressionAttributeValues = {} } = JSON.parse(body);
    const [alias] = Object.entries(ExpressionAttributeNames).find(([, name]) => name === 'names') ?? [];
    const value = new RegExp(`${alias} = (:\\w+)`).exec(UpdateExpression)?.[1];
    if (value !== undefined) names.set(Key.pk.S, ExpressionAttributeValues[value]);
    const chatId = { S: String(Key.pk.S).split('#')[1] };
    return ok({ Attributes: { ...Key, chatId, ...(names.has(Key.pk.S) && { names: names.get(Key.pk.S) }) } });
  };
}
