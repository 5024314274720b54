import { setTimeout as sleep } from 'node:timers/promises';
import * as v from 'valibot';
import type { RunningHub } from './hub.ts';
import { countsOf, lineOf, Sends } from './progress.ts';

const Created = v.object({ id: v.string() });
const MadeAccount = v.object({ url: v.string() });
const Accepted = v.object({ data: v.object({ message_id: v.string() }) });
const Credits = v.object({ granted: v.number(), available: v.number(), reserved: v.number(), spent: v.number() });

const messages = [
  { phone: '+15550100099', text: 'The blue one is put aside for you.' },
  { phone: '+15550100098', text: 'Your table for four is booked for 19:30.' },
  // The sandbox says of this number that it is not on WhatsApp: the credit comes back.
  { phone: '+15550100404', text: 'Are you there?' },
  { phone: '+15550100097', text: 'The shop opens at nine tomorrow.' },
];

/** Milliseconds. */
const timeout = 60_000;
const period = 250;

/** Sends a few messages through an account that reaches nobody, and shows how they get on. */
export async function demonstrateSends({ api }: RunningHub): Promise<void> {
  const account = { provider: 'sandbox', channel: 'whatsapp', name: 'Demo', phone: '+15550100001', credentials: {} };
  const { id } = v.parse(Created, await api('/api/accounts', account));
  const { url } = v.parse(MadeAccount, await api('/api/webhooks', { kind: 'send', name: 'Demo sends' }));
  console.log('\nFour messages to send, about two seconds apart (POST /send/<token>):\n');
  for (const message of messages) {
    console.log(`  ${message.phone}  ${message.text.padEnd(42)} ${await send(url, id, message)}`);
  }
  console.log();
  await follow(() => api(`/api/sends?account=${id}`));
  const { granted, available, reserved, spent } = v.parse(Credits, await api('/api/credits'));
  console.log(`\nCredits: ${granted} granted, ${available} available, ${reserved} reserved, ${spent} spent`);
}

async function send(url: string, account_id: string, message: (typeof messages)[number]): Promise<string> {
  const body = JSON.stringify({ action: 'send', account_id, ...message });
  const response = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
  const text = await response.text();
  if (!response.ok) throw new Error(`POST /send answered ${response.status}: ${text}`);
  return v.parse(Accepted, JSON.parse(text)).data.message_id;
}

/** One line that changes in place; where there is no terminal, one line for each change. */
async function follow(list: () => Promise<unknown>): Promise<void> {
  const { stdout } = process;
  let shown = '';
  for (const giveUpAt = performance.now() + timeout; performance.now() < giveUpAt; await sleep(period)) {
    const { items } = v.parse(Sends, await list());
    const line = stdout.isTTY ? lineOf(items, Date.now()) : countsOf(items);
    if (line !== shown) stdout.write(stdout.isTTY ? `\r\x1b[2K  ${line}` : `  ${line}\n`);
    shown = line;
    if (items.every(({ state }) => state === 'read' || state === 'failed')) break;
  }
  if (stdout.isTTY) stdout.write('\n');
}
