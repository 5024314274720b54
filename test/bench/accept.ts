import { ask, createAccount, createSendWebhook, type HubApi } from '#test/support/hub-api.ts';
import { poster } from './client.ts';
import { closedLoop, type Pace } from './closed-loop.ts';
import type { Figure } from './figure.ts';
import { startStack } from './stack.ts';
import { median } from './statistics.ts';

const rounds = 3;
const connections = [1, 8, 32];
const bounds = { calls: 800, milliseconds: 1500 };
const manyAccounts = 50;

/** Messages taken in, charged and queued over HTTP: on many accounts, and on one that all of them share. */
export async function accept(): Promise<readonly Figure[]> {
  await using stack = await startStack();
  const { hub } = stack;
  await ask(hub, '/api/credits/grants', { credits: 1_000_000, reason: 'benchmark' });
  const path = await createSendWebhook(hub);
  const many: string[] = [];
  for (let number = 0; number < manyAccounts; number += 1) many.push(await restingAccount(hub));
  const figures: Figure[] = [];
  await round(hub, path, many, 32);
  for (const atOnce of connections) {
    // Queues have an end: each figure gets an account of its own.
    const one = [await restingAccount(hub)];
    for (const accounts of [many, one]) {
      const paces: Pace[] = [];
      for (let turn = 0; turn < rounds; turn += 1) paces.push(await round(hub, path, accounts, atOnce));
      figures.push(...figuresOf(atOnce, accounts.length, paces));
    }
  }
  return figures;
}

/** Paused, so that it takes messages in, and nothing else is going on. */
async function restingAccount(hub: HubApi): Promise<string> {
  const id = await createAccount(hub, { provider: 'sandbox', channel: 'whatsapp', credentials: {} });
  await ask(hub, `/api/accounts/${id}/pause`, {});
  return id;
}

function round(hub: HubApi, path: string, accounts: readonly string[], atOnce: number): Promise<Pace> {
  const post = poster(hub.url, atOnce);
  const headers = { 'content-type': 'application/json' };
  return closedLoop(bounds, atOnce, async (number) => {
    const account_id = accounts[number % accounts.length];
    const message = { action: 'send', account_id, phone: '+15550100099', text: `Message number ${number}` };
    const { status, text } = await post(path, headers, JSON.stringify(message));
    if (status !== 200) throw new Error(`the hub answered ${status} ${text}`);
  });
}

function figuresOf(atOnce: number, accounts: number, paces: readonly Pace[]): Figure[] {
  const name = `${atOnce} connection${atOnce === 1 ? '' : 's'}, ${accounts} account${accounts === 1 ? '' : 's'}`;
  return [
    { name: `${name}: messages accepted a second`, value: median(paces.map((pace) => pace.perSecond)), unit: '/s' },
    { name: `${name}: half are accepted within`, value: median(paces.map((pace) => pace.p50)), unit: 'ms' },
    { name: `${name}: 99 % are accepted within`, value: median(paces.map((pace) => pace.p99)), unit: 'ms' },
  ];
}
