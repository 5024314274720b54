import { submitBody } from '#lib/outbox/submit.ts';
import { runTask } from '#lib/reactions/deliver.ts';
import type { Task } from '#lib/reactions/delivery.ts';
import { type Batch, beginBatch } from '#lib/reactions/dispatch.ts';
import type { ReactPorts } from '#lib/reactions/react.ts';
import type { DeliverPorts, Mail, Mailer } from '#lib/reactions/target.ts';
import { patternMatcher, sharedBudgets } from '#lib/reactions/untrusted.ts';
import { defaultConfig } from '#lib/sender/config.ts';
import type { ProviderRequest } from '#lib/sender/provider.ts';
import { dueSortKey, runPartition } from '#lib/store/keys.ts';
import { del, type Store } from '#lib/store/store.ts';
import { dueLists, wakeDelivery, wakeEndpoint } from '#lib/watchdog/watchdog.ts';
import { AdminBench } from '#test/functions/admin/admin-bench.ts';
import { type Commit, MemoryStore } from './memory-store.ts';
import { NOW } from './receiving.ts';
import { tasksBy } from './tasks.ts';
import { underRole } from './under-role.ts';

interface BenchOptions {
  readonly within?: (store: Store) => Store;
  readonly onCommit?: (commits: readonly Commit[]) => void;
  /** Whether a read that is not consistent shows the item as it was before its last change. */
  readonly isStale?: () => boolean;
}

/** The hub with its stream and its queue of deliveries, in memory: time goes by as the test says. */
export class ReactionBench {
  readonly admin: AdminBench;
  readonly store: MemoryStore;
  /** What the stream has to tell: one entry for each change of an event's item. */
  readonly stream: Commit[] = [];
  /** The queue, and when each of its tasks comes. */
  readonly waiting: { readonly at: number; readonly task: Task }[] = [];
  /** What the mail service was handed, and how it answers. */
  readonly mails: Mail[] = [];
  mailed: Awaited<ReturnType<Mailer['send']>> = { result: { kind: 'answered', status: 200 }, answer: '' };
  /** Milliseconds of the processor that were used. */
  cpu = 0;
  readonly #within: (store: Store) => Store;
  dispatching: ReactPorts;
  delivering: DeliverPorts;

  /** `within`: the table as the functions of this page see it. */
  constructor({ within = (store) => store, onCommit, isStale }: BenchOptions = {}) {
    this.#within = within;
    const tasks = tasksBy(async (task, delaySeconds = 0) => {
      this.waiting.push({ at: this.now + delaySeconds * 1000, task });
    });
    const store = new MemoryStore({
      now: () => this.now,
      ...(isStale && { isStale }),
      onCommit: (commits) => {
        onCommit?.(commits);
        this.stream.push(...commits.filter(({ after }) => after?.pk.startsWith('EVT#') && after.sk === 'META'));
      },
    });
    this.store = store;
    this.admin = new AdminBench({ store, tasks });
    const { ports } = this.admin;
    const ofEvents = within(underRole(store, 'events'));
    const sending = { ...ports, store: ofEvents };
    const submit: ReactPorts['submit'] = (workspace, rule, body, key) =>
      submitBody(sending, { workspace, webhookId: rule }, body, key);
    const cpu = () => this.cpu;
    const budget = sharedBudgets({ clock: ports.clock, cpu, matches: patternMatcher() });
    this.dispatching = { ...ports, submit, tasks, store: ofEvents, budget };
    const mailer: Mailer = {
      send: async (mail) => {
        this.mails.push(mail);
        return this.mailed;
      },
    };
    this.delivering = { ...ports, cpu, tasks, mailer, store: within(underRole(store, 'deliver')) };
  }

  get now(): number {
    return this.admin?.bench.now ?? NOW;
  }

  set now(at: number) {
    this.admin.bench.now = at;
  }

  /** Everything that endpoints were told so far, in order. */
  get told(): {
    readonly url: string;
    readonly id: string;
    readonly attempt: string;
    readonly type: string;
    readonly data: Record<string, unknown>;
  }[] {
    return this.admin.posted.map((request) => ({ url: request.url, ...toldIn(request) }));
  }

  get tasks() {
    return this.waiting.map(({ at, task }) => ({ task, inSeconds: (at - this.now) / 1000 }));
  }

  /** Works off the stream, in one batch or each change by itself, and no task. */
  async dispatchAll(batch?: Batch): Promise<void> {
    for (const change of this.stream.splice(0)) {
      const mine = batch ?? beginBatch(this.dispatching);
      await mine.dispatch(change);
      if (!batch) await mine.end();
    }
    await batch?.end();
  }

  /** What the stream has to tell, taken out of it. */
  takeStream(): readonly Commit[] {
    return this.stream.splice(0);
  }

  /** What lies in the queue, taken out of it. */
  takeTasks(): readonly Task[] {
    return this.waiting.splice(0).map(({ task }) => task);
  }

  /** Works off the stream and every task that is due, until nothing is. */
  async settle(): Promise<void> {
    for (;;) {
      const changes = this.stream.length;
      await this.dispatchAll();
      const due = this.waiting.filter(({ at }) => at <= this.now);
      for (const one of due) this.waiting.splice(this.waiting.indexOf(one), 1);
      if (changes === 0 && due.length === 0) return;
      for (const { task } of due) await this.run(task);
    }
  }

  run = (task: Task) => runTask(this.delivering, task);

  /** Lets time go by, stopping at each task that comes due. */
  async wait(seconds: number): Promise<void> {
    const end = this.now + seconds * 1000;
    for (;;) {
      await this.settle();
      const next = Math.min(...this.waiting.map(({ at }) => at));
      if (next > end) break;
      this.now = Math.max(this.now, next);
    }
    this.now = end;
    await this.settle();
  }

  /** As if the runs of a rule had died before they were written down. */
  async forgetRuns(rule: string): Promise<void> {
    const { items } = await this.admin.store.query({ pk: runPartition(rule), limit: 100 });
    for (const { pk, sk } of items) await this.admin.store.write(del({ pk, sk }));
  }

  /** What the queue held is gone, as SQS may lose a message. */
  loseTasks(): void {
    this.waiting.splice(0);
  }

  /** One run of the watchdog, as far as it concerns deliveries; its clock may be ahead. */
  async wake(aheadMs = 0): Promise<void> {
    const ports = { ...this.delivering, store: this.#within(underRole(this.admin.store, 'watchdog')) };
    const due = async (what: 'delivery' | 'endpoint', lateMs = 0) => {
      const lists = dueLists(what, { before: dueSortKey(this.now + aheadMs - lateMs), limit: 100 });
      return (await Promise.all(lists.map((list) => ports.store.query(list)))).flatMap(({ items }) => items);
    };
    for (const key of await due('delivery')) await wakeDelivery(ports, key);
    for (const key of await due('endpoint', defaultConfig.graceMs)) await wakeEndpoint(ports, key);
  }

  /** The same, and all that comes of it. */
  async watch(): Promise<void> {
    await this.wake();
    await this.settle();
  }

  async endpoint(more: object = {}) {
    const made = await this.admin.done('POST', '/api/endpoints', { body: { url: 'https://crm.example/in', ...more } });
    return { id: String(made.id), secret: String(made.secret) };
  }

  show = (id: string) => this.admin.done('GET', `/api/endpoints/${id}`);
}

function toldIn({ headers = {}, body }: ProviderRequest) {
  if (body?.kind !== 'raw') throw new Error('an endpoint is told bytes that were signed');
  const { type, data } = JSON.parse(body.text);
  return { id: headers['webhook-id'] ?? '', attempt: headers['hookline-attempt'] ?? '', type, data };
}
