import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { contextFor } from '#infra/local/lambda.ts';
import { readService } from '#infra/local/service.ts';
import { recordActivity } from '#lib/activity/counters.ts';
import { deliverHandler } from '#lib/aws/deliver-handler.ts';
import { embeddedMetrics } from '#lib/aws/telemetry.ts';
import { known } from '#lib/domain/schema.ts';
import { beginBatch, type EventChange } from '#lib/reactions/dispatch.ts';
import { sendKey } from '#lib/store/keys.ts';
import type { Item, Store } from '#lib/store/store.ts';
import { KINDS, MEMORY_GB, PRICES, type Usage } from '#test/bench/prices.ts';
import { greenApiTraffic } from '#test/bench/traffic.ts';
import { sizeOf } from '#test/support/item-size.ts';
import { ReactionBench } from '#test/support/reactions.ts';
import { recordsOf } from '#test/support/tasks.ts';

/* What the stream costs beside taking a webhook in: requests as they are counted, times as operations.md assumes them. */

/** At 512 MB; with less memory Lambda gives less of the processor, and it takes so much longer. */
const RUN_MS = 15;
const CALL_MS = 100;
const { functions } = readService(fileURLToPath(new URL('../../serverless.yml', import.meta.url)));
const deliverGb = (functions.find(({ name }) => name === 'deliver')?.memorySize ?? Number.NaN) / 1024;
/** Changes that come with one call of `events`, and tasks with one of `deliver`, of which two are called side by side. */
const BATCH = { events: 100, deliver: 10, atOnce: 2 };

class Meter {
  reads = 0;
  writes = 0;
  #logged = '';

  within = (store: Store): Store => ({
    ...store,
    get: async (key, options) => this.#read(await store.get(key, options), options),
    getMany: async (keys, options) => {
      const items = await store.getMany(keys, options);
      for (const key of keys)
        this.#read(
          items.find(({ pk, sk }) => pk === key.pk && sk === key.sk),
          options,
        );
      return items;
    },
    query: async (query) => {
      const page = await store.query(query);
      const bytes = page.items.reduce((sum, item) => sum + sizeOf(item), 0);
      this.#readBytes(bytes, query.consistent);
      return page;
    },
    write: async (write, options) => {
      this.writes += write.kind === 'put' ? Math.ceil(sizeOf(write.item) / 1024) : 1;
      return store.write(write, options);
    },
  });

  logs(line: string): void {
    this.#logged += `${line}\n`;
  }

  begin(): void {
    this.reads = 0;
    this.writes = 0;
  }

  /** What each of so many uses of all that was counted. */
  usage(
    count: number,
    { runs, waitGbMs, sqsRequests }: { runs: number; waitGbMs: number; sqsRequests: number },
  ): Usage {
    const each = (all: number) => all / count;
    return {
      apiRequests: 0,
      lambdaRequests: each(runs),
      // What is done takes as many GB-ms whatever the memory; a wait takes as many as there is memory.
      lambdaGbMs: each(runs * RUN_MS * MEMORY_GB + waitGbMs),
      writeUnits: each(this.writes),
      readUnits: each(this.reads),
      sqsRequests: each(sqsRequests),
      logKilobytes: each(this.#logged.length / 1024),
    };
  }

  #read(item: Item | undefined, options?: { readonly consistent?: boolean }): Item | undefined {
    this.#readBytes(item ? sizeOf(item) : 0, options?.consistent);
    return item;
  }

  #readBytes(bytes: number, consistent = false): void {
    this.reads += Math.max(1, Math.ceil(bytes / 4096)) * (consistent ? 1 : 0.5);
  }
}

const { provider, contentType, body } = greenApiTraffic;
const context = contextFor({ name: 'deliver', timeoutMs: 45_000, memoryMb: 256 });
vi.stubEnv('POWERTOOLS_DEV', 'true');
vi.stubEnv('POWERTOOLS_METRICS_DISABLED', 'false');
const metrics = embeddedMetrics('hookline-prod');
let bench: ReactionBench;
let hook: string;
let meter: Meter;
beforeEach(async () => {
  meter = new Meter();
  // Where metrics are written to when nothing is deployed.
  vi.spyOn(console, 'log').mockImplementation((line) => meter.logs(String(line)));
  bench = new ReactionBench({ within: meter.within });
  hook = (await bench.admin.webhook({ provider: provider.name })).url;
});

/** What are the first two of their kind in an hour are written once more each: that was before. */
async function anHourBegins(): Promise<void> {
  for (const before of ['one', 'another']) {
    await bench.admin.post(hook, body(`before-${before}`), contentType);
    await dispatched([...bench.takeStream(), { after: { ...sendKey(`before-${before}`), ...sent } }]);
  }
  bench.takeTasks();
}
const sent = { workspace: 'main', provider: provider.name };

let sequence = 0;
/** What `events` does with a batch. */
async function dispatched(changes: readonly EventChange[]): Promise<void> {
  const batch = beginBatch(bench.dispatching);
  for (const change of changes) await batch.dispatch(change);
  await batch.end();
  const { now } = bench;
  const told = changes.map(({ before, after }) => {
    sequence += 1;
    return { ...known({ before, after }), sequence: String(sequence), at: now };
  });
  await recordActivity(bench.dispatching.store, 'shard', told, now);
}

/** What one event uses, where so many come at once. */
async function usageOf(count: number): Promise<Usage> {
  await anHourBegins();
  for (let n = 1; n <= count; n++) await bench.admin.post(hook, body(n), contentType);
  const changes = bench.takeStream();
  expect(changes).toHaveLength(count);
  meter.begin();
  const { delivering } = bench;
  await dispatched(changes);
  const tasks = bench.takeTasks();
  const deliver = deliverHandler({ ...delivering, metrics });
  for (let start = 0; start < tasks.length; start += BATCH.deliver)
    await deliver({ Records: recordsOf(tasks.slice(start, start + BATCH.deliver)) }, context);
  expect(bench.told).toHaveLength(tasks.length);
  const batches = { events: Math.ceil(count / BATCH.events), deliver: Math.ceil(tasks.length / BATCH.deliver) };
  const calls = Math.ceil(tasks.length / Math.min(BATCH.atOnce, Math.max(1, tasks.length)));
  return meter.usage(count, {
    runs: batches.events + batches.deliver,
    waitGbMs: calls * CALL_MS * deliverGb,
    // Each batch is sent, received and deleted by one request.
    sqsRequests: 3 * batches.deliver,
  });
}

/** What one message sent uses, whose changes each come alone; the event that tells of it comes with the last of them. */
async function usageOfSend(): Promise<Usage> {
  await anHourBegins();
  const states = ['queued', 'sending', 'sent'];
  const images = states.map((state) => ({ ...sendKey('one'), ...sent, parts: [{ state }] }));
  await bench.admin.post(hook, body(1), contentType);
  const told = bench.takeStream();
  meter.begin();
  for (const [i, after] of images.entries()) {
    const commit = { ...known({ before: images[i - 1] }), after };
    await dispatched(i === images.length - 1 ? [commit, ...told] : [commit]);
  }
  return meter.usage(1, { runs: states.length, waitGbMs: 0, sqsRequests: 0 });
}

const cost = (usage: Usage) => KINDS.reduce((sum, [kind]) => sum + usage[kind] * PRICES[kind], 0);

const text = readFileSync(new URL('../../docs/operations.md', import.meta.url), 'utf8');
const table = text.slice(text.indexOf('| of the stream |'));
const rows = table.split('\n').map((line) => line.split('|').map((cell) => cell.trim()));
const figure = (name: string, column: number) =>
  Number((rows.find((cells) => cells[1] === name)?.[column] ?? 'none').replaceAll('*', '') || 0);

async function matchesColumn(column: number, usage: Usage): Promise<void> {
  for (const [kind, name] of KINDS.filter(([one]) => one !== 'apiRequests')) {
    const said = figure(name, column);
    const bound = Math.max(0.006, usage[kind] * 0.1);
    expect(Math.abs(said - usage[kind]), `${name}: ${said} in the table, ${usage[kind]} counted`).toBeLessThan(bound);
  }
  expect(figure('**a million cost**', column)).toBeCloseTo(cost(usage), 2);
}

describe('the table of what the stream costs holds', () => {
  it('where nobody subscribes and each event comes alone', async () => {
    await matchesColumn(2, await usageOf(1));
  });

  it('where nobody subscribes and seven come in a second', async () => {
    const usage = await usageOf(7);
    expect(cost(usage)).toBeLessThanOrEqual(0.3);
    await matchesColumn(3, usage);
  });

  it('for a message that is sent alone', async () => {
    await matchesColumn(4, await usageOfSend());
  });

  it('with one endpoint, each event alone', async () => {
    await bench.endpoint();
    const usage = await usageOf(1);
    // One of the writes is what the console counts, whoever subscribes.
    expect(cost(usage) - PRICES.writeUnits).toBeLessThanOrEqual(4);
    await matchesColumn(5, usage);
  });

  it('with one endpoint, where much comes in', async () => {
    await bench.endpoint();
    const usage = await usageOf(100);
    expect(cost(usage)).toBeLessThanOrEqual(1.2);
    await matchesColumn(6, usage);
  });
});
