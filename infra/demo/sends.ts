import { setTimeout as sleep } from 'node:timers/promises';
import * as v from 'valibot';
import { ANA, JONAS, MIA, RENTALS, SAM } from './morning.ts';
import type { Stage } from './workspace.ts';

const Accepted = v.object({ data: v.object({ message_id: v.string() }) });
const Credits = v.object({ granted: v.number(), available: v.number(), reserved: v.number(), spent: v.number() });

/** What the workshop sends. The sandbox makes something else of some numbers: its README says of which. */
const messages = (sms: string) => [
  { phone: `+${ANA.phone}`, text: 'It is ready, we are here until six.' },
  { phone: `+${JONAS.phone}`, text: 'Your bike is ready as well, with a new battery lock.' },
  { phone: '+15550100404', text: 'Your bike is ready.', why: 'nobody has this number: the credit comes back' },
  { phone: '+15550100500', text: 'Your helmet is here.', why: 'the provider breaks: nobody knows whether it went out' },
  { phone: '+12025550178', text: 'Please bring your passport for the rental.', why: 'is cancelled before it leaves' },
  { phone: `+${SAM.phone}`, text: 'Your two trailers are booked.', account_id: sms, why: 'an SMS' },
  { phone: '+15550100410', text: 'Your bike is ready.', account_id: sms, why: 'an SMS that does not arrive' },
  { phone: `+${MIA.phone}`, text: 'Until Sunday then!', from: RENTALS, why: 'its account is held: it waits' },
];
type Message = ReturnType<typeof messages>[number];

/** Milliseconds. */
const timeout = 45_000;
const period = 250;

/** Sends a few messages through accounts that reach nobody, and shows how they get on. */
export async function playSends({ hub, frontDesk, sms, sendUrl }: Stage): Promise<void> {
  const since = new Date().toISOString();
  console.log('\nWhat the workshop sends, about two seconds apart (POST /send/<token>):\n');
  for (const message of messages(sms)) {
    const id = await send(sendUrl, message);
    if (message.why?.includes('cancelled')) await hub.api(`/api/sends/${id}/cancel`, {});
    const why = message.why ? `  (${message.why})` : '';
    console.log(`  ${message.phone.padEnd(14)} ${message.text}${why}`);
  }
  console.log();
  await follow(async () => {
    const lists = await Promise.all([frontDesk, sms].map((id) => hub.api(`/api/sends?account=${id}&after=${since}`)));
    return lists.flatMap((list) => v.parse(Sends, list).items);
  });
  const { granted, available, reserved, spent } = v.parse(Credits, await hub.api('/api/credits'));
  console.log(`\nCredits: ${granted} granted, ${available} available, ${reserved} reserved, ${spent} spent`);
}

async function send(url: string, { phone, text, account_id, from }: Message): Promise<string> {
  const sender = from ? { whatsapp_account_phone: `+${from.phone}` } : { account_id };
  const body = JSON.stringify({ action: 'send', phone, text, ...sender });
  const response = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
  const answer = await response.text();
  if (!response.ok) throw new Error(`POST /send answered ${response.status}: ${answer}`);
  return v.parse(Accepted, JSON.parse(answer)).data.message_id;
}

/** One line that changes in place; where there is no terminal, one line for each change. */
async function follow(list: () => Promise<v.InferOutput<typeof Sends>['items']>): Promise<void> {
  const { stdout } = process;
  let shown = '';
  for (const giveUpAt = performance.now() + timeout; performance.now() < giveUpAt; await sleep(period)) {
    const items = await list();
    const line = stdout.isTTY ? lineOf(items, Date.now()) : countsOf(items);
    if (line !== shown) stdout.write(stdout.isTTY ? `\r\x1b[2K  ${line}` : `  ${line}\n`);
    shown = line;
    if (items.every(isOver)) break;
  }
  if (stdout.isTTY) stdout.write('\n');
}

/** A list of sends, as far as the demonstration reads it. */
export const Sends = v.object({
  items: v.array(v.object({ state: v.string(), position: v.optional(v.number()), etaAt: v.optional(v.string()) })),
});
type Sends = v.InferOutput<typeof Sends>['items'];

/** In the order in which a message goes through them. */
const STATES = ['queued', 'sending', 'sent', 'delivered', 'read', 'failed'];

/** Nothing more is to come of it while somebody watches: what is unknown stays so for a day. */
const isOver = ({ state }: Sends[number]): boolean => ['read', 'failed', 'cancelled', 'unknown'].includes(state);

/** How many there are in each state: `2 queued, 1 sent, 1 failed`. */
export function countsOf(sends: Sends): string {
  const others = [...new Set(sends.map(({ state }) => state))].filter((state) => !STATES.includes(state));
  return [...STATES, ...others]
    .map((state) => ({ state, count: sends.filter((send) => send.state === state).length }))
    .filter(({ count }) => count > 0)
    .map(({ state, count }) => `${count} ${state}`)
    .join(', ');
}

/** The counts, and when the turn of the last one in the queue comes. `now` is in milliseconds since the epoch. */
export function lineOf(sends: Sends, now: number): string {
  const last = Math.max(0, ...sends.map(({ position }) => position ?? 0));
  const etaAt = sends.find(({ position }) => position === last)?.etaAt;
  if (last === 0 || etaAt === undefined) return countsOf(sends);
  const seconds = Math.max(0, Math.ceil((Date.parse(etaAt) - now) / 1000));
  return `${countsOf(sends)}; number ${last} goes in about ${seconds} s`;
}
