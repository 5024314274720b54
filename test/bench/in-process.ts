import { awsClient, DYNAMODB, SQS, SSM, type Transport } from '#lib/adapters/aws/client.ts';
import { dynamoStore } from '#lib/adapters/aws/dynamo-store.ts';
import { readEnvironment } from '#lib/adapters/env.ts';
import type { Runtime } from '#lib/adapters/runtime.ts';
import { systemClock, systemRandom } from '#lib/adapters/system.ts';
import { embeddedMetrics, structuredLog } from '#lib/adapters/telemetry.ts';
import { webhookHandler } from '#lib/adapters/webhook-handler.ts';
import { type Webhook, webhookItem } from '#lib/app/webhooks/webhook.ts';
import { sha256 } from '#lib/domain/ids.ts';
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
export function receivingThrough(traffic: Traffic, table: string, transport: Transport) {
  const handler = webhookHandler(traffic.provider, runtimeOn(table, transport));
  return async (body: string): Promise<void> => {
    const answer = await handler(gatewayEvent(traffic, TOKEN, body));
    if (!answer.body?.includes('"stored"')) throw new Error(`${traffic.provider.name} answered ${answer.body}`);
  };
}

/** What a function is given, with this wire below the signed requests of all its services. */
export function runtimeOn(table: string, transport: Transport, more: Readonly<Record<string, string>> = {}): Runtime {
  const settings = { region: 'eu-central-1', accessKeyId: 'id', secretAccessKey: 'secret', timeoutMs: 1500 };
  return {
    environment: readEnvironment({
      HOOKLINE_TABLE: table,
      HOOKLINE_FALLBACK_QUEUE_URL: 'http://127.0.0.1/none',
      AWS_REGION: settings.region,
      AWS_ACCESS_KEY_ID: settings.accessKeyId,
      AWS_SECRET_ACCESS_KEY: settings.secretAccessKey,
      ...more,
    }),
    store: dynamoStore(awsClient(DYNAMODB, settings, transport), table),
    sqs: awsClient(SQS, settings, transport),
    ssm: awsClient(SSM, settings, transport),
    clock: systemClock,
    random: systemRandom,
    log: structuredLog('bench'),
    metrics: embeddedMetrics('bench'),
  };
}
