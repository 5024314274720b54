import { setTimeout as sleep } from 'node:timers/promises';
import { allEvents, createWebhook, type HubApi } from '#test/support/hub-api.ts';
import { type Post, poster } from './client.ts';
import { atMost, type Figure } from './figure.ts';
import { sendBeside } from './sends-beside.ts';
import { startStack } from './stack.ts';
import { percentile } from './statistics.ts';
import { greenApiTraffic } from './traffic.ts';

const seconds = 60;
/** Milliseconds. */
const timeout = 60_000;
/** Webhooks a second of each instance: one that is drained after a pause, and nine in their everyday. */
const instances = [50, ...new Array<number>(9).fill(10)];

interface Delivery {
  /** The provider's id of the message. */
  readonly id: string;
  /** Milliseconds. */
  readonly took: number;
  readonly status: number;
}

/**
 * Providers that send on, whether or not they were answered: what a queue of theirs does to the hub, while the hub
 * itself sends.
 */
export async function load(): Promise<readonly Figure[]> {
  await using stack = await startStack();
  const post = poster(stack.hub.url, 256);
  const sending = await sendBeside(stack.hub, post);
  const deliveries = await Promise.all(
    instances.map(async (perSecond, instance) => {
      const path = await createWebhook(stack.hub, greenApiTraffic.provider.name);
      return sendOn(post, path, perSecond, instance);
    }),
  );
  const accepted = deliveries.flat().filter(({ status }) => status === 200);
  const detours = accepted.length - (await storedOf(stack.hub, accepted)).length;
  // What the table did not take in time waits in the fallback queue.
  for (const giveUpAt = performance.now() + timeout; performance.now() < giveUpAt; await sleep(2000)) {
    if ((await storedOf(stack.hub, accepted)).length === accepted.length) break;
  }
  const lost = accepted.length - (await storedOf(stack.hub, accepted)).length;
  return [...figuresOf(deliveries, detours, lost), ...(await sending())];
}

async function storedOf(hub: HubApi, deliveries: readonly Delivery[]): Promise<readonly Delivery[]> {
  const stored = new Set<string>();
  for await (const event of allEvents(hub)) stored.add(event.message?.id ?? event.id);
  return deliveries.filter(({ id }) => stored.has(id));
}

async function sendOn(post: Post, path: string, perSecond: number, instance: number): Promise<Delivery[]> {
  const sent: Promise<Delivery>[] = [];
  const begun = performance.now();
  for (let number = 0; number < perSecond * seconds; number += 1) {
    const due = begun + (number * 1000) / perSecond;
    await sleep(Math.max(0, due - performance.now()));
    sent.push(deliver(post, path, `${instance}-${number}`, due));
  }
  return Promise.all(sent);
}

/** The time counts from when it was due: a sender that is held up is not a hub that is fast. */
async function deliver(post: Post, path: string, label: string, due: number): Promise<Delivery> {
  const body = greenApiTraffic.body(`load-${label}`);
  const id = `3EB0C0FFEEload-${label}`;
  const { status } = await post(path, { 'content-type': greenApiTraffic.contentType }, body).catch(() => ({
    status: 0,
  }));
  return { id, status, took: performance.now() - due };
}

function figuresOf(deliveries: readonly (readonly Delivery[])[], detours: number, lost: number): Figure[] {
  const all = deliveries.flat();
  const [busy = [], ...others] = deliveries;
  const times = (name: string, some: readonly Delivery[]): Figure[] =>
    [50, 99].map((percent) => ({
      name: `${name}: ${percent} % are answered within`,
      value: percentile(
        some.map(({ took }) => took),
        percent,
      ),
      unit: 'ms',
    }));
  return [
    { name: 'webhooks sent', value: all.length, unit: '' },
    ...times('instance at 50/s', busy),
    ...times('nine at 10/s', others.flat()),
    {
      name: 'not answered 200',
      value: all.filter(({ status }) => status !== 200).length,
      unit: '',
      aim: atMost('value', 0),
    },
    { name: 'stored by way of the fallback queue', value: detours, unit: '' },
    { name: 'answered 200 and lost', value: lost, unit: '', aim: atMost('value', 0) },
  ];
}
