/** `npm run demo`: a morning's traffic of every provider into a hub that is running, and a few messages out of it. */
import * as v from 'valibot';
import { type RunningHub, runningHub } from './hub.ts';
import { demonstrateSends } from './sends.ts';
import { type Delivery, type Traffic, trafficOf } from './traffic.ts';

const Made = v.object({ url: v.string() });
const Answered = v.object({ status: v.union([v.string(), v.number()]) });
const Messages = v.object({
  items: v.array(
    v.object({
      provider: v.string(),
      message: v.object({
        direction: v.string(),
        chat: v.object({ id: v.string(), title: v.optional(v.string()) }),
        content: v.looseObject({ type: v.string(), text: v.optional(v.string()), caption: v.optional(v.string()) }),
      }),
      delivery: v.optional(v.object({ state: v.string() })),
    }),
  ),
});

try {
  await demonstrate(await runningHub(process.env));
} catch (error) {
  console.error(`hookline demo: ${error instanceof Error ? error.message : String(error)}`);
  process.exit(1);
}

async function demonstrate(hub: RunningHub): Promise<void> {
  const now = Date.now();
  const run = now.toString(16).toUpperCase();
  for (const traffic of trafficOf(run, now)) await play(hub, traffic);
  console.log('\nWhat the hub makes of it, newest first (GET /api/messages):\n');
  const { items } = v.parse(Messages, await hub.api('/api/messages?limit=8'));
  for (const { provider, message, delivery } of items) {
    const { direction, chat, content } = message;
    const words = content.text ?? content.caption ?? '';
    const state = delivery ? ` (${delivery.state})` : '';
    console.log(
      `  ${provider.padEnd(12)}${direction.padEnd(9)} ${chat.title ?? chat.id}: ${content.type} ${words}${state}`,
    );
  }
  await demonstrateSends(hub);
  console.log(`\nEvery call is described, and can be tried, at ${hub.url}/docs`);
}

async function play(hub: RunningHub, { provider, secret, headers, deliveries }: Traffic): Promise<void> {
  const webhook = { kind: 'receive', provider, name: `Demo ${provider}`, ...(secret && { secret }) };
  const { url } = v.parse(Made, await hub.api('/api/webhooks', webhook));
  for (const delivery of deliveries) {
    console.log(`${provider.padEnd(12)} ${delivery.what.padEnd(44)} ${await post(url, delivery, headers)}`);
  }
}

async function post(url: string, { body, contentType }: Delivery, headers: Traffic['headers'] = {}): Promise<string> {
  const type = contentType ?? 'application/json';
  const response = await fetch(url, { method: 'POST', body, headers: { ...headers, 'content-type': type } });
  return `${response.status} ${v.parse(Answered, await response.json()).status}`;
}
