import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { beforeEach, describe, expect, it } from 'vitest';
import { readService } from '#infra/local/service.ts';
import { endpointsOf, runTask } from '#lib/reactions/deliver.ts';
import { beginBatch } from '#lib/reactions/dispatch.ts';
import type { Item, Store } from '#lib/store/store.ts';
import { KINDS, LOGGED, MEMORY_GB, PRICES, type Usage } from '#test/bench/prices.ts';
import { greenApiTraffic } from '#test/bench/traffic.ts';
import { sizeOf } from '#test/support/item-size.ts';
import { ReactionBench } from '#test/support/reactions.ts';

/* What reactions cost beside taking a webhook in: requests as they are counted, times as operations.md assumes them. */

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
  sqs = 0;
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

  get logKilobytes(): number {
    return this.#logged.length / 1024;
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
let bench: ReactionBench;
let hook: string;
let meter: Meter;
beforeEach(async () => {
  meter = new Meter();
  bench = new ReactionBench({ within: meter.within });
  hook = (await bench.admin.webhook({ provider: provider.name })).url;
});

/** What one event uses, where so many come at once. */
async function usageOf(count: number): Promise<Usage> {
  for (let n = 1; n <= count; n++) await bench.admin.post(hook, body(n), contentType);
  expect(bench.stream).toHaveLength(count);
  meter.reads = 0;
  meter.writes = 0;
  const { delivering } = bench;
  await bench.dispatchAll(beginBatch(bench.dispatching));
  const tasks = bench.takeTasks();
  for (let start = 0; start < tasks.length; start += BATCH.deliver) {
    const endpoints = endpointsOf(delivering.store);
    for (const task of tasks.slice(start, start + BATCH.deliver)) await runTask(delivering, task, endpoints);
  }
  expect(bench.told).toHaveLength(tasks.length);
  const batches = { events: Math.ceil(count / BATCH.events), deliver: Math.ceil(tasks.length / BATCH.deliver) };
  const runs = batches.events + batches.deliver;
  const calls = Math.ceil(tasks.length / Math.min(BATCH.atOnce, Math.max(1, tasks.length)));
  const each = (all: number) => all / count;
  return {
    apiRequests: 0,
    lambdaRequests: each(runs),
    // What is done takes as many GB-ms whatever the memory; a wait takes as many as there is memory.
    lambdaGbMs: each(runs * RUN_MS * MEMORY_GB + calls * CALL_MS * deliverGb),
    writeUnits: each(meter.writes),
    readUnits: each(meter.reads),
    // Each batch is sent, received and deleted by one request.
    sqsRequests: each(3 * batches.deliver),
    logKilobytes: each(runs * LOGGED.run + meter.logKilobytes),
  };
}

const cost = (usage: Usage) => KINDS.reduce((sum, [kind]) => sum + usage[kind] * PRICES[kind], 0);

const text = readFileSync(new URL('../../docs/operations.md', import.meta.url), 'utf8');
const table = text.slice(text.indexOf('| of reactions |'));
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

describe('the table of what reactions cost holds', () => {
  it('where nobody subscribes and much comes in', async () => {
    const usage = await usageOf(100);
    expect(cost(usage)).toBeLessThanOrEqual(0.3);
    await matchesColumn(2, usage);
  });

  it('with one endpoint, each event alone', async () => {
    await bench.endpoint();
    const usage = await usageOf(1);
    expect(cost(usage)).toBeLessThanOrEqual(4);
    await matchesColumn(3, usage);
  });

  it('with one endpoint, where much comes in', async () => {
    await bench.endpoint();
    const usage = await usageOf(100);
    expect(cost(usage)).toBeLessThanOrEqual(1.2);
    await matchesColumn(4, usage);
  });
});
