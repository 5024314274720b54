import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as v from 'valibot';
import { writeDurably } from './data-folder.ts';
import type { Hub } from './hub.ts';

/** The newcomer's first event, in the words of the sandbox provider. */
const firstEvent = { event: 'message', id: 'first', from: '+15550100', text: 'Hello, Hookline!' };

const DemoWebhook = v.object({ id: v.string(), path: v.string() });
type DemoWebhook = v.InferOutput<typeof DemoWebhook>;

/** What somebody needs who has just started a hub. */
export function access(hub: Hub): string {
  return [
    `admin key  ${hub.adminKey}`,
    `reference  ${hub.url}/docs`,
    `data       ${hub.dataFolder ?? 'kept in memory, gone when the hub stops'}`,
    'logs       on standard error; `npm start 2>hub.log` keeps them apart',
    '',
  ].join('\n');
}

/** What to do first. The commands work as printed; there are none where no webhook could be made for them. */
export async function firstSteps(hub: Hub): Promise<string> {
  const webhook = await demoWebhook(hub).catch((error: unknown) => {
    console.error('hookline: the webhook for the first steps could not be made:', error);
    return undefined;
  });
  if (!webhook) return '';
  return [
    'Receive a message, then read it back:',
    `  curl ${hub.url}${webhook.path} -H 'content-type: application/json' -d '${JSON.stringify(firstEvent)}'`,
    `  curl ${hub.url}/api/messages -H 'authorization: Bearer ${hub.adminKey}'`,
    '',
    '',
  ].join('\n');
}

/** Made on first start and kept, since the URL of a webhook is shown only once. */
async function demoWebhook(hub: Hub): Promise<DemoWebhook> {
  const file = hub.dataFolder && join(hub.dataFolder, 'first-webhook.json');
  const kept = file && existsSync(file) ? v.parse(DemoWebhook, JSON.parse(readFileSync(file, 'utf8'))) : undefined;
  if (kept && (await api(hub, `/api/webhooks/${kept.id}`)).ok) return kept;
  const response = await api(hub, '/api/webhooks', { kind: 'receive', provider: 'sandbox', name: 'First steps' });
  if (!response.ok) throw new Error(`POST /api/webhooks answered ${response.status}`);
  const { id, url } = v.parse(v.object({ id: v.string(), url: v.string() }), await response.json());
  // The port may be another one next time, so only the path is kept.
  const webhook = { id, path: new URL(url).pathname };
  if (file) writeDurably(file, JSON.stringify(webhook));
  return webhook;
}

function api(hub: Hub, path: string, body?: unknown): Promise<Response> {
  return fetch(`${hub.url}${path}`, {
    headers: { authorization: `Bearer ${hub.adminKey}`, 'content-type': 'application/json' },
    ...(body ? { method: 'POST', body: JSON.stringify(body) } : {}),
  });
}
