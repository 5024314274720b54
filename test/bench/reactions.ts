import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import * as v from 'valibot';
import { startFreshHub } from '#test/support/fresh-hub.ts';
import { ask, createWebhook, type HubApi } from '#test/support/hub-api.ts';
import { listening } from '#test/support/listening.ts';
import { poster } from './client.ts';
import { atMost, type Figure } from './figure.ts';
import { percentile } from './statistics.ts';
import { greenApiTraffic } from './traffic.ts';

/** Notices of the paced run, of the burst, and of the runs beside an endpoint that hangs until 5 and until 30 seconds. */
const [paced, burst, beside, besideLong] = [300, 600, 1000, 300];
const BETWEEN_MS = { paced: 50, beside: 30 };
const PATIENCE_MS = 240_000;

interface Call {
  readonly path: string;
  readonly id: string;
  readonly at: number;
}

/** From a stored webhook to a call of an endpoint, alone, in a burst, and beside an endpoint that says nothing. */
export async function reactions(): Promise<readonly Figure[]> {
  const receiver = await Receiver.start();
  try {
    await using hub = await startFreshHub({});
    return await measured(hub.api, receiver);
  } finally {
    receiver.stop();
  }
}

async function measured(api: HubApi, receiver: Receiver): Promise<readonly Figure[]> {
  const hook = await createWebhook(api, greenApiTraffic.provider.name);
  const post = webhooks(api, hook);
  await endpoint(api, receiver, '/well');
  await post.run('warm-up', 20, 20);
  const alone = await post.run('alone', paced, BETWEEN_MS.paced);
  await receiver.until('/well', alone);
  const since = performance.now();
  const many = await post.run('burst', burst, 0);
  await receiver.until('/well', many);
  const perSecond = burst / ((receiver.last('/well') - since) / 1000);
  const hanging = await endpoint(api, receiver, '/hangs');
  const watch = stateOf(api, hanging, 'failing');
  const both = await post.run('beside', beside, BETWEEN_MS.beside);
  const openedAt = await watch;
  await receiver.until('/well', both);
  const late = receiver.waits('/well', both);
  const afterOpen = receiver.waits('/well', new Map([...both].filter(([, at]) => at >= openedAt)));
  receiver.isWell = true;
  await receiver.until('/hangs', both);
  await ask(api, `/api/endpoints/${hanging}/disable`, {});
  await endpoint(api, receiver, '/hangs-long', 30_000);
  const long = await post.run('beside-long', besideLong, BETWEEN_MS.beside);
  await receiver.until('/well', long);
  const drained = receiver.calls.filter(({ path, at }) => path === '/hangs' && at > openedAt && both.size > 0);
  return [
    wait('stored to called, half within', receiver.waits('/well', alone), 50, 600),
    wait('stored to called, 99 % within', receiver.waits('/well', alone), 99, 2000),
    { name: 'webhooks of a burst stored and delivered a second', value: perSecond, unit: '/s' },
    wait('beside one that hangs, 99 % within', late, 99, 2000),
    wait('beside one that hangs for 30 s, 99 % within', receiver.waits('/well', long), 99, 2000),
    wait('beside one that hangs, once it is spared, half within', afterOpen, 50, 600),
    wait('beside one that hangs, once it is spared, 99 % within', afterOpen, 99, 2000),
    {
      name: 'calls a second when it is drained, at most',
      value: busiestSecond(drained),
      unit: '/s',
      aim: atMost('value', 130),
    },
    {
      name: 'drained before something that was stored 2 s earlier',
      value: overtaken(drained, both),
      unit: '',
      aim: atMost('value', 0),
    },
  ];
}

const wait = (name: string, waits: readonly number[], percent: number, bound: number): Figure => ({
  ...{ name, value: percentile(waits, percent), unit: 'ms' },
  aim: atMost('value', bound),
});

async function endpoint(api: HubApi, receiver: Receiver, path: string, timeoutMs = 5000): Promise<string> {
  const body = { url: `${receiver.url}${path}`, types: ['message.received'], timeoutMs };
  const made = await ask(api, '/api/endpoints', body);
  return v.parse(v.object({ id: v.string() }), made).id;
}

/** When the endpoint is in that state. */
async function stateOf(api: HubApi, id: string, wanted: string): Promise<number> {
  for (const until = performance.now() + PATIENCE_MS; performance.now() < until; await sleep(200)) {
    const { state } = v.parse(v.object({ state: v.string() }), await ask(api, `/api/endpoints/${id}`));
    if (state === wanted) return performance.now();
  }
  throw new Error(`the endpoint ${id} is not ${wanted}`);
}

/** Posts webhooks, each so long after the one before, and answers when each was stored. */
function webhooks({ url }: HubApi, path: string) {
  const post = poster(url, 16);
  const headers = { 'content-type': greenApiTraffic.contentType };
  const Answer = v.object({ data: v.optional(v.looseObject({})), id: v.optional(v.string()) });
  const one = async (name: string, stored: Map<string, number>) => {
    const { status, text } = await post(path, headers, greenApiTraffic.body(name));
    if (status !== 200) throw new Error(`the hub answered ${status} ${text}`);
    const id = v.parse(Answer, JSON.parse(text)).id ?? '';
    stored.set(id, performance.now());
  };
  return {
    run: async (label: string, count: number, everyMs: number): Promise<ReadonlyMap<string, number>> => {
      const stored = new Map<string, number>();
      const begun = performance.now();
      const underWay: Promise<void>[] = [];
      for (let n = 0; n < count; n += 1) {
        await sleep(Math.max(0, begun + n * everyMs - performance.now()));
        underWay.push(one(`${label}-${n}`, stored));
        if (underWay.length % 16 === 0) await Promise.all(underWay.slice(-16));
      }
      await Promise.all(underWay);
      return stored;
    },
  };
}

/** What is called, with one path that says nothing until it is well. */
class Receiver {
  readonly calls: Call[] = [];
  readonly #first = new Map<string, number>();
  #isWell = false;
  readonly #hanging: ServerResponse[] = [];
  readonly #server = createServer((request, response) => {
    const path = request.url ?? '';
    const id = String(request.headers['webhook-id']);
    request.resume();
    if (path === '/hangs-long' || (path === '/hangs' && !this.#isWell)) {
      this.#hanging.push(response);
      return;
    }
    const at = performance.now();
    this.calls.push({ path, id, at });
    if (!this.#first.has(`${path} ${id}`)) this.#first.set(`${path} ${id}`, at);
    response.writeHead(204).end();
  });

  static async start(): Promise<Receiver> {
    const receiver = new Receiver();
    await listening(receiver.#server);
    return receiver;
  }

  get url(): string {
    const { port } = v.parse(
      v.looseObject({ port: v.number() }),
      this.#server.address() satisfies AddressInfo | string | null,
    );
    return `http://127.0.0.1:${port}`;
  }

  set isWell(well: boolean) {
    this.#isWell = well;
  }

  last(path: string): number {
    return Math.max(...this.calls.filter((call) => call.path === path).map(({ at }) => at));
  }

  /** Until the path has had all of them. */
  async until(path: string, stored: ReadonlyMap<string, number>): Promise<void> {
    for (const until = performance.now() + PATIENCE_MS; performance.now() < until; await sleep(100)) {
      if ([...stored.keys()].every((id) => this.#first.has(`${path} ${id}`))) return;
    }
    throw new Error(`${path} was not told of everything`);
  }

  waits(path: string, stored: ReadonlyMap<string, number>): number[] {
    return [...stored].map(([id, at]) =>
      Math.max(0, (this.#first.get(`${path} ${id}`) ?? Number.POSITIVE_INFINITY) - at),
    );
  }

  stop(): void {
    for (const response of this.#hanging) response.destroy();
    this.#server.closeAllConnections();
    this.#server.close();
  }
}

function busiestSecond(calls: readonly Call[]): number {
  return Math.max(0, ...calls.map(({ at }) => calls.filter((other) => other.at >= at && other.at < at + 1000).length));
}

/** Calls that came before one whose webhook was stored two seconds earlier. */
function overtaken(calls: readonly Call[], stored: ReadonlyMap<string, number>): number {
  const times = calls.map(({ id }) => stored.get(id) ?? 0);
  let earliestToCome = Number.POSITIVE_INFINITY;
  let count = 0;
  for (const time of times.toReversed()) {
    if (earliestToCome < time - 2000) count += 1;
    earliestToCome = Math.min(earliestToCome, time);
  }
  return count;
}
