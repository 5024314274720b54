import * as v from 'valibot';
import { serve } from '#infra/local/engines/local-aws.ts';
import type { RunningHub } from './hub.ts';
import { MIA, morning, rightNow, SECRET } from './morning.ts';
import type { Delivery, Run } from './payloads.ts';
import { playSends } from './sends.ts';
import { type Stage, stage } from './workspace.ts';

const Answered = v.object({ status: v.union([v.string(), v.number()]) });
const Found = v.object({ items: v.array(v.unknown()) });
const Link = v.object({ url: v.string() });

/**
 * Plays a morning of a small workshop into a running hub, in a workspace of its own, and says what it does.
 * Answers the link that signs in there.
 */
export async function demonstrate(main: RunningHub): Promise<string> {
  const listener = await listen();
  try {
    const set = await stage(main, listener.url);
    const now = Date.now();
    const run = { now, id: now.toString(16) };
    await playMorning(set, run);
    console.log('\nWhat comes in right now, with two rules that answer:\n');
    await play(set, run, rightNow(run));
    await playSends(set);
    console.log(`Told to the booking system meanwhile: ${listener.taken()} messages; the old accounting is broken`);
    const { url } = v.parse(Link, await set.hub.api('/api/session/links', {}));
    console.log(`\nSee all of it in the workspace "demo" (signs in once, within ten minutes):\n  ${url}`);
    console.log(`\nEvery call is described, and can be tried, at ${main.url}/docs`);
    return url;
  } finally {
    await listener.stop();
  }
}

/** A second demonstration on the same day plays only what is new, or each chat would say everything twice. */
async function playMorning(set: Stage, run: Run): Promise<void> {
  const since = new Date(run.now - 12 * 3_600_000).toISOString();
  const path = `/api/messages?limit=1&after=${since}&phone=${encodeURIComponent(`+${MIA.phone}`)}`;
  if (v.parse(Found, await set.hub.api(path)).items.length > 0) {
    console.log('The morning has been played already, not half a day ago: here is what happens now.');
    return;
  }
  console.log('A morning at Harbour Bikes, as its providers told it (POST /hooks/<provider>/<token>):\n');
  await play(set, run, morning(run));
}

async function play({ hooks }: Stage, run: Run, deliveries: readonly Delivery[]): Promise<void> {
  for (const delivery of deliveries) {
    const { provider, minutesAgo, what } = delivery;
    const time = new Date(run.now - minutesAgo * 60_000).toTimeString().slice(0, 5);
    const line = `${time}  ${provider.padEnd(12)} ${what.slice(0, 78).padEnd(78)}`;
    console.log(`${line} ${await post(hooks.get(provider) ?? '', delivery)}`);
  }
}

async function post(url: string, { provider, body, contentType = 'application/json' }: Delivery): Promise<string> {
  const proof = provider === 'green-api' ? { authorization: `Bearer ${SECRET}` } : {};
  const response = await fetch(url, { method: 'POST', body, headers: { ...proof, 'content-type': contentType } });
  return `${response.status} ${v.parse(Answered, await response.json()).status}`;
}

/** A program as a user of the hub has one: it is told what happens, and says thanks; but for one path, which is broken. */
export async function listen() {
  let taken = 0;
  const { endpoint, stop } = await serve(async ({ url }) => {
    if (url === '/broken') return { status: 500, output: { error: 'the disk is full' } };
    taken += 1;
    return { status: 200, output: { booked: true } };
  });
  return { url: endpoint, stop, /** How many notices. */ taken: () => taken };
}
