import type { Wire } from '#test/support/aws-wire.ts';
import { createWebhook, type HubApi } from '#test/support/hub-api.ts';
import { poster } from './client.ts';
import { closedLoop, type Pace } from './closed-loop.ts';
import { atLeast, type Figure } from './figure.ts';
import { everyday } from './in-process.ts';
import { rawWebhooks } from './raw-writes.ts';
import { type Stack, startStack } from './stack.ts';
import { median } from './statistics.ts';
import { greenApiTraffic, PEOPLE } from './traffic.ts';

const rounds = 5;
const connections = [1, 8, 32];
const bounds = { calls: 1200, milliseconds: 1500 };
/** One from each person: a chat that is new costs three requests more than one that is known. */
const everybody = { calls: PEOPLE, milliseconds: 300_000 };

/** Webhooks stored and answered over HTTP, beside the same requests to the engine without a hub in between. */
export async function http(): Promise<readonly Figure[]> {
  await using stack = await startStack();
  const figures: Figure[] = [];
  const path = await createWebhook(stack.hub, greenApiTraffic.provider.name);
  // The hub and the stand-in know all who write from then on.
  const standIn = everyday(greenApiTraffic.provider.name);
  await closedLoop(everybody, 32, webhooks(stack.hub, path, 32, 'first'));
  await round(stack, standIn, path, 32, 'warm-up');
  for (const atOnce of connections) {
    const hub: Pace[] = [];
    const raw: Pace[] = [];
    for (let turn = 0; turn < rounds; turn += 1) {
      const paces = await round(stack, standIn, path, atOnce, `${atOnce}-${turn}`);
      hub.push(paces.hub);
      raw.push(paces.raw);
    }
    figures.push(...figuresOf(atOnce, hub, raw));
  }
  return figures;
}

async function round({ hub, engine }: Stack, standIn: Wire, path: string, atOnce: number, label: string) {
  const raw = await rawWebhooks(engine, standIn, bounds.calls, atOnce, label);
  return {
    hub: await closedLoop(bounds, atOnce, webhooks(hub, path, atOnce, label)),
    raw: await closedLoop(bounds, atOnce, raw),
  };
}

function webhooks(hub: HubApi, path: string, atOnce: number, label: string) {
  const post = poster(hub.url, atOnce);
  const headers = { 'content-type': greenApiTraffic.contentType };
  return async (number: number) => {
    const { status, text } = await post(path, headers, greenApiTraffic.body(`hub-${label}-${number}`));
    if (status !== 200 || !text.includes('"stored"')) throw new Error(`the hub answered ${status} ${text}`);
  };
}

function figuresOf(atOnce: number, hub: readonly Pace[], raw: readonly Pace[]): Figure[] {
  const connections = atOnce === 1 ? '1 connection' : `${atOnce} connections`;
  const figure = (name: string, unit: string, pick: (pace: Pace) => number): Figure => ({
    name: `${connections}: ${name}`,
    value: median(hub.map(pick)),
    unit,
    floor: median(raw.map(pick)),
  });
  return [
    { ...figure('webhooks stored a second', '/s', (pace) => pace.perSecond), aim: atLeast('ratio', 0.5) },
    figure('half are answered within', 'ms', (pace) => pace.p50),
    figure('99 % are answered within', 'ms', (pace) => pace.p99),
  ];
}
