import { feedFill } from '#lib/inbox/feed.ts';
import { AT_ONCE, runTask } from '#lib/reactions/deliver.ts';
import { addresseeOf, type Task, type Tasks } from '#lib/reactions/delivery.ts';
import { beginBatch } from '#lib/reactions/dispatch.ts';
import type { Mail } from '#lib/reactions/target.ts';
import type { Patience, ProviderRequest, Reply } from '#lib/sender/provider.ts';
import { fillKey } from '#lib/store/keys.ts';
import { type Delete, type Put, put, type Query, type Store, StoreUnavailable, type Update } from '#lib/store/store.ts';
import { itemsOf, message } from '#test/functions/admin/admin-bench.ts';
import type { Commit } from './memory-store.ts';
import { ReactionBench } from './reactions.ts';
import { NOW } from './receiving.ts';
import { Seeded } from './simulation/seeded.ts';
import { tasksBy } from './tasks.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
/** After a crash a message of the queue comes again. */
const HIDDEN = 270 * SECOND;
const WELL = 'https://well.example/in';
const ILL = 'https://ill.example/in';
const CALLED = 'https://called.example/in';
const MAILED = 'ana@example.com';
const PACED = 'https://paced.example/in';
const RATE = 3;
const ALL = [WELL, ILL, PACED, CALLED, MAILED];
const SANDBOX = { provider: 'sandbox', channel: 'whatsapp', phone: '+15550199001', credentials: {} };
const CREDITS = 100_000;

/** Longer than the wait after the fourth failure of one delivery. */
const LONGEST_WAIT_MIN = 6 * 60;

class Crash extends Error {
  override readonly name = 'Crash';
}

/** One guard taken out, to see that the simulation notices. */
export interface Mutant {
  readonly write?: (write: Put | Update | Delete) => Put | Update | Delete;
  /** Whether a query finds nothing. */
  readonly hides?: (query: Query) => boolean;
  /** A function that dies takes its messages along. */
  readonly losesTasks?: boolean;
  /** Nobody asks for what SQS has lost. */
  readonly neverReplays?: boolean;
}

/**
 * What comes in on its way to endpoints and rules, with a function that dies at any step, doubled, late, reordered and
 * lost tasks, a table that refuses, and an endpoint that answers as it likes. Throws where a promise is broken.
 */
export class ReactionSimulation {
  readonly #seeded: Seeded;
  readonly #bench: ReactionBench;
  readonly #mutant: Mutant;
  /** 0: nothing goes wrong any more. */
  #trouble = 1;
  #tableAwayUntil = 0;
  #ill: 'well' | 'moody' | 'failing' | 'hanging' | 'busy' = 'well';
  #n = 0;
  #hook = '';
  readonly #rules = new Map<string, string>();
  readonly #expected = new Map<string, Set<string>>(ALL.map((url) => [url, new Set()]));
  readonly #told = new Map<string, Set<string>>(ALL.map((url) => [url, new Set()]));
  readonly #endpoints: string[] = [];
  readonly #inSecond = new Map<number, number>();
  readonly #sent = new Set<string>();
  readonly #handed: Commit[] = [];
  #credits = 0;
  calls = 0;

  private constructor(seed: number, mutant: Mutant) {
    this.#seeded = new Seeded(seed);
    this.#mutant = mutant;
    this.#bench = new ReactionBench({
      within: (store) => this.#faulty(store),
      onCommit: (commits) => {
        for (const commit of commits) this.#see(commit);
      },
    });
  }

  static async start(seed: number, mutant: Mutant = {}): Promise<ReactionSimulation> {
    const simulation = new ReactionSimulation(seed, mutant);
    await simulation.#prepare();
    return simulation;
  }

  async #prepare(): Promise<void> {
    this.#trouble = 0;
    const { admin } = this.#bench;
    const accountId = String((await admin.done('POST', '/api/accounts', { body: SANDBOX })).id);
    await admin.done('PUT', '/api/credits/quota', { body: { kind: 'monthly', credits: CREDITS } });
    this.#hook = (await admin.webhook({ accountId })).url;
    for (const url of [WELL, ILL]) this.#endpoints.push((await this.#bench.endpoint({ url })).id);
    this.#endpoints.push((await this.#bench.endpoint({ url: PACED, ratePerSecond: RATE })).id);
    await this.#bench.store.write(put({ ...fillKey(feedFill.name), workspace: '', done: true }));
    const rule = async (name: string, action: object) => {
      const body = {
        ...{ name, on: ['message.received'], when: { field: 'text', words: [name] }, do: [action] },
        guard: { perContact: { max: 100, seconds: 1 }, maxAgeSeconds: 86_400 },
      };
      this.#rules.set(String((await admin.done('POST', '/api/rules', { body })).id), name);
    };
    await rule('answer', { action: 'reply', text: 'heard: {{ text }}' });
    await rule('write', { action: 'send', to: { phone: '+15550300' }, text: '{{ text }}' });
    await rule('call', { action: 'call', url: CALLED });
    await rule('mail', { action: 'email', to: [MAILED], subject: '{{ text }}', text: '{{ text }}', attach: 'raw' });
    this.#trouble = 1;
  }

  /** The table over a network: it takes its time, it may refuse, lose its answer, and whoever asks may die before and after. */
  #faulty(store: Store): Store {
    const over = async <Result>(effect: () => Promise<Result>): Promise<Result> => {
      this.#mayDie();
      if (this.#bench.now < this.#tableAwayUntil) throw new StoreUnavailable('unreachable');
      if (this.#chance(0.004)) throw new StoreUnavailable('throttled');
      for (let turns = this.#chance(0.1) ? this.#seeded.below(200) : 0; turns > 0; turns -= 1) await undefined;
      const result = await effect();
      this.#mayDie();
      if (this.#chance(0.004)) throw new StoreUnavailable('unreachable');
      return result;
    };
    const mutated = (write: Put | Update | Delete) => this.#mutant.write?.(write) ?? write;
    return {
      get: (...given) => over(() => store.get(...given)),
      getMany: (...given) => over(() => store.getMany(...given)),
      query: (query) => over(async () => (this.#mutant.hides?.(query) ? { items: [] } : store.query(query))),
      write: (write, options) => over(() => store.write(mutated(write), options)),
      transact: (writes, token) =>
        over(() =>
          store.transact(
            writes.map((one) => (one.kind === 'check' ? one : mutated(one))),
            token,
          ),
        ),
      writeMany: (writes) => over(() => store.writeMany(writes)),
    };
  }

  #chance(probability: number): boolean {
    return this.#trouble > 0 && this.#seeded.chance(probability);
  }

  #mayDie(probability = 0.006): void {
    if (this.#chance(probability)) throw new Crash('died');
  }

  /** What must hold of each write, whenever it is made. */
  #see({ before, after }: Commit): void {
    if (after?.pk.startsWith('MSG#') && !before) this.#seeSend(after);
    if (after?.pk.startsWith('EP#') && after.sk.startsWith('DLV#')) {
      const isDone = before?.state === 'delivered' && after.state !== 'delivered' && after.replay === before.replay;
      if (isDone) throw new Error(`forgotten that it was told: ${after.pk} ${after.sk}`);
      const isListed = typeof after.gsi3pk === 'string';
      if (isListed !== (after.state === 'waiting')) throw new Error(`nobody finds ${after.pk} ${after.sk}`);
    }
    if (after?.pk.startsWith('WS#') && /^(?:ENDPOINT|CALLS)#/.test(after.sk)) {
      const isListed = typeof after.gsi3pk === 'string';
      const isUnderWay = after.state === 'failing' || after.drainingSince !== undefined;
      if (isUnderWay && !isListed) throw new Error(`nobody asks ${after.sk}, which is ${after.state}`);
    }
  }

  #seeSend({ webhook, parts }: NonNullable<Commit['after']>): void {
    const name = `${webhook} ${JSON.stringify(parts)}`;
    if (this.#sent.has(name)) throw new Error(`sent twice: ${name}`);
    this.#sent.add(name);
    this.#credits += 1;
  }

  async step(): Promise<void> {
    const seeded = this.#seeded;
    await seeded.pick([
      () => this.#receive(),
      () => this.#receive(),
      () => this.#receive(),
      () => this.#feed(),
      () => this.#feed(),
      () => this.#feed(),
      () => this.#work(),
      () => this.#work(),
      () => this.#work(),
      () => this.#work(),
      () => this.#meddle(),
      () => this.#replayNow(),
      () => this.#passTime(),
    ])();
    this.#check();
  }

  get notices(): number {
    return this.#n;
  }

  async #receive(): Promise<void> {
    this.#n += 1;
    const n = this.#n;
    const word = this.#seeded.chance(0.3) ? this.#seeded.pick(['answer', 'write', 'call', 'mail']) : 'hello';
    const phone = `+1555${String(1_000_000 + n).slice(0, 7)}`;
    const body = message(n, {
      ...{ text: `${word} ${n}`, from: phone, chat: phone },
      at: new Date(this.#bench.now).toISOString(),
    });
    const answer = await this.#bench.admin.post(this.#hook, body);
    const id = String(answer.body.id);
    for (const url of [WELL, ILL, PACED]) this.#expected.get(url)?.add(id);
    if (word === 'call') this.#expected.get(CALLED)?.add(`${id}_0`);
    if (word === 'mail') this.#expected.get(MAILED)?.add(`${id}_0`);
  }

  /** Some records of the stream, in order; the batch comes again from where it failed, and sometimes from before. */
  async #feed(): Promise<void> {
    const { stream } = this.#bench;
    if (this.#chance(0.05)) stream.unshift(...this.#handed.splice(-5));
    const batch = beginBatch(this.#dispatching());
    const changes = stream.slice(0, 1 + this.#seeded.below(8));
    let done = 0;
    try {
      for (const change of changes) {
        await batch.dispatch(change);
        done += 1;
      }
    } catch (fault) {
      if (!isFault(fault)) throw fault;
      if (fault instanceof Crash) return;
    }
    try {
      await batch.end();
    } catch (fault) {
      if (!isFault(fault)) throw fault;
      return;
    }
    this.#handed.push(...stream.splice(0, done));
  }

  #dispatching() {
    const { dispatching, delivering } = this.#bench;
    const submit: typeof dispatching.submit = async (...given) => {
      this.#mayDie();
      const verdict = await dispatching.submit(...given);
      // Between a message and the run that says so: the moment in which nothing but the message's mark tells that it is sent.
      this.#mayDie(0.05);
      return verdict;
    };
    return { ...dispatching, submit, tasks: this.#queue(delivering.tasks.send) };
  }

  #queue(send: Tasks['send']): Tasks {
    return tasksBy(async (task, delaySeconds = 0) => {
      this.#mayDie();
      if (this.#chance(0.01)) throw new Crash('the queue is away');
      // What the table knows may be lost on the way; what is new may not, for it stands nowhere else.
      const isKept = ['drain', 'probe', 'replay'].includes(task.kind) || delaySeconds > 2;
      if (isKept && this.#chance(0.1)) return;
      // Of an endpoint's, a replay finds what is missing.
      if (task.kind === 'delivery' && this.#chance(0.02)) return;
      await send(task, delaySeconds);
      if (this.#chance(0.05)) await send(task, delaySeconds);
      this.#mayDie();
    });
  }

  /** Some tasks that are due, in any order and at once. One whose function dies comes again. */
  async #work(): Promise<void> {
    const { waiting, now } = this.#bench;
    const taken: Task[] = [];
    for (let left = 1 + this.#seeded.below(12); left > 0; left -= 1) {
      const due = waiting.filter(({ at }) => at <= now);
      if (due.length === 0) break;
      const one = this.#seeded.pick(due);
      waiting.splice(waiting.indexOf(one), 1);
      taken.push(one.task);
    }
    const ports = {
      ...this.#bench.delivering,
      http: {
        call: async ({ url, headers }: ProviderRequest, _deadline: number, patience?: Patience) => {
          // Some are slow, and broken off for others where these may call.
          const isSlow = this.#chance(0.2) || (url !== WELL && this.#ill === 'hanging');
          const reply = await this.#call(url, String(headers?.['webhook-id']));
          if (isSlow) this.#bench.now += SECOND;
          return isSlow && patience && !(await patience.mayGoOn()) ? REPLIES.hanging : reply;
        },
      },
      mailer: {
        send: async ({ to: [to = ''], id }: Mail) => {
          const reply = await this.#call(to, id);
          const failed = { kind: 'failed', reason: 'timeout' } as const;
          return { result: reply.kind === 'answered' ? reply : failed, answer: '' };
        },
      },
      tasks: this.#queue(this.#bench.delivering.tasks.send),
    };
    const work = async (tasks: readonly Task[]) => {
      const lane = { atOnce: AT_ONCE };
      const done = await Promise.allSettled(tasks.map((task) => runTask(ports, task, lane)));
      for (const [i, one] of done.entries()) {
        if (one.status === 'fulfilled') continue;
        if (!isFault(one.reason)) throw one.reason;
        const task = tasks[i];
        if (task && this.#mutant.losesTasks !== true) waiting.push({ at: now + HIDDEN, task });
      }
    };
    await Promise.all([...Map.groupBy(taken, addresseeOf).values()].map(work));
  }

  readonly #call = async (whom: string, id: string): Promise<Reply> => {
    this.calls += 1;
    if (whom === PACED) this.#seePace();
    this.#mayDie();
    for (let turns = this.#seeded.below(20); turns > 0; turns -= 1) await undefined;
    const wellOrNot = this.#chance(0.02) ? 'failing' : 'well';
    const ill = this.#ill === 'moody' ? this.#seeded.pick(['well', 'failing'] as const) : this.#ill;
    const how = whom === ILL || whom === CALLED ? ill : wellOrNot;
    // It may have had the notice although nobody heard its answer.
    if (how === 'well') this.#told.get(whom)?.add(id);
    this.#mayDie();
    return REPLIES[how];
  };

  /** A probe is not counted. */
  #seePace(): void {
    const second = Math.floor(this.#bench.now / SECOND);
    const calls = (this.#inSecond.get(second) ?? 0) + 1;
    this.#inSecond.set(second, calls);
    if (calls > RATE + 1) throw new Error(`too fast: ${calls} calls in a second`);
  }

  async #replayNow(): Promise<void> {
    if (this.#chance(0.1)) await this.#replay(this.#seeded.pick(['missing', 'failed', 'all']));
  }

  async #replay(only: string): Promise<void> {
    const body = { since: new Date(NOW).toISOString(), only };
    for (const id of this.#endpoints) await this.#bench.admin.call('POST', `/api/endpoints/${id}/replay`, { body });
  }

  async #meddle(): Promise<void> {
    const seeded = this.#seeded;
    if (seeded.chance(0.3)) this.#ill = seeded.pick(['well', 'moody', 'failing', 'hanging', 'busy']);
    if (seeded.chance(0.05)) this.#tableAwayUntil = this.#bench.now + MINUTE;
    if (seeded.chance(0.5)) await this.#wake(seeded.chance(0.3) ? 60 * MINUTE : 0);
  }

  async #wake(aheadMs: number): Promise<void> {
    try {
      await this.#bench.wake(aheadMs);
    } catch (fault) {
      if (!isFault(fault)) throw fault;
    }
  }

  async #passTime(): Promise<void> {
    this.#bench.now += this.#seeded.below(this.#seeded.chance(0.1) ? 3 * MINUTE : 5 * SECOND);
  }

  /** The books, after each step: one credit for each message that was accepted, and its place in the queue. */
  #check(): void {
    const months = this.#bench.store.partition('WS#main').filter(({ sk }) => sk.startsWith('QUOTA#'));
    const left = months.reduce((sum, { available }) => sum + Number(available), 0);
    if (left !== months.length * CREDITS - this.#credits)
      throw new Error(`${left} credits are left after ${this.#credits} of ${CREDITS}`);
  }

  /** Everybody is well, and time passes. */
  async end(): Promise<void> {
    this.#trouble = 0;
    this.#tableAwayUntil = 0;
    this.#ill = 'well';
    const { waiting, stream } = this.#bench;
    for (let minute = 0; minute < LONGEST_WAIT_MIN; minute += 1) {
      while (stream.length > 0) await this.#feed();
      for (let second = 0; second < 60 && waiting.some(({ at }) => at <= this.#bench.now); second += 1) {
        while (waiting.some(({ at }) => at <= this.#bench.now)) await this.#work();
        this.#bench.now += SECOND;
      }
      if (minute % 5 === 0) await this.#wake(0);
      if (minute === 5 && this.#mutant.neverReplays !== true) await this.#replay('missing');
      if (minute > 5 && this.#missing().length === 0 && waiting.length === 0) break;
      this.#bench.now += MINUTE;
    }
    this.#check();
    const missing = this.#missing();
    if (missing.length > 0) throw new Error(`${missing.length} were never told, as ${missing.slice(0, 3).join(', ')}`);
    await this.#checkSends();
  }

  #missing(): string[] {
    return [...this.#expected].flatMap(([url, ids]) =>
      [...ids].filter((id) => !this.#told.get(url)?.has(id)).map((id) => `${url} ${id}`),
    );
  }

  /** What was due to be sent was sent, or the run says why it was not. */
  async #checkSends(): Promise<void> {
    for (const [rule, name] of this.#rules) {
      const runs = itemsOf(await this.#bench.admin.done('GET', `/api/rules/${rule}/runs?limit=200`));
      const failed = runs.filter(({ result }) => result === 'failed');
      if (failed.length > 0) throw new Error(`the rule ${name} failed: ${JSON.stringify(failed[0])}`);
      if (name !== 'call' && name !== 'mail' && runs.length > 0 && ![...this.#sent].some((one) => one.startsWith(rule)))
        throw new Error(`the rule ${name} sent nothing: ${JSON.stringify(runs[0])}`);
    }
  }
}

const answered = (status: number): Reply => ({ kind: 'answered', status, headers: {}, text: '' });
const REPLIES: Readonly<Record<'well' | 'failing' | 'hanging' | 'busy', Reply>> = {
  well: answered(200),
  failing: answered(500),
  busy: { kind: 'answered', status: 429, headers: { 'retry-after': '999999999' }, text: '' },
  hanging: { kind: 'broken', breakdown: 'unanswered' },
};

const isFault = (fault: unknown): boolean => fault instanceof Crash || fault instanceof StoreUnavailable;
