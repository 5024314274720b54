import { grant } from '#lib/credits/credits.ts';
import type { MessageEvent } from '#lib/domain/event.ts';
import type { Clock, Secrets } from '#lib/domain/ports.ts';
import { known } from '#lib/domain/schema.ts';
import type { Status } from '#lib/domain/send/part.ts';
import { toIso } from '#lib/domain/time.ts';
import { noteStatus } from '#lib/inbox/delivery-state.ts';
import { feedFill } from '#lib/inbox/feed.ts';
import { chatsFill } from '#lib/outbox/fill-chats.ts';
import type { applyRetention } from '#lib/privacy/retention.ts';
import { type Accepted, accept, type SendRequest } from '#lib/sender/accept.ts';
import { defaultConfig, type SendingConfig } from '#lib/sender/config.ts';
import { type Account, readAccount, readProviderMessage, readSend, type Send } from '#lib/sender/items.ts';
import type { OpenAccounts } from '#lib/sender/open-accounts.ts';
import { onStatus } from '#lib/sender/outcome.ts';
import type { Attempted, Fetched, ProbeResult, Tick } from '#lib/sender/provider.ts';
import { sendReports } from '#lib/sender/reports.ts';
import { type Run, type TickResult, tick } from '#lib/sender/tick.ts';
import { accountKey, directoryKey, fillKey, sendKey, stateKey } from '#lib/store/keys.ts';
import { put, type Store, StoreUnavailable } from '#lib/store/store.ts';
import { sendingStart } from '#lib/tenants/accounts.ts';
import { watchdog } from '#lib/watchdog/watchdog.ts';
import { MeteredStore } from '../metered-store.ts';
import { tasksBy } from '../tasks.ts';
import { underRole } from '../under-role.ts';
import { FakeProvider, type Taken } from './fake-provider.ts';
import { FakeQueue, type QueueFaults } from './fake-queue.ts';
import { faultyStore, type Mutant, type StoreFaults } from './faulty-store.ts';
import { Invariants } from './invariants.ts';
import { type Process, Scheduler } from './scheduler.ts';
import { Seeded } from './seeded.ts';

export interface Faults extends StoreFaults, QueueFaults {
  /** Of reads that may be stale, those that are. */
  readonly stale: number;
}

export const noFaults: Faults = {
  conflict: 0,
  throttled: 0,
  unreachable: 0,
  answerLost: 0,
  tickLost: 0,
  tickDoubled: 0,
  tickEarly: 0,
  stale: 0,
};

const AWAY: Faults = { ...noFaults, unreachable: 1 };

export interface WorldOptions {
  readonly seed?: number;
  readonly config?: Partial<SendingConfig>;
  readonly mutant?: Mutant;
  readonly watchdog?: boolean;
  /** When it begins. */
  readonly start?: number;
}

const START = Date.UTC(2026, 10, 21, 12);
const FUNCTION_TIMEOUT_MS = 45_000;
const WATCHDOG_TIMEOUT_MS = 30_000;
const REDELIVERIES = 5;
const MINUTE = 60_000;
/** To whom a message goes if a test does not say. */
export const PERSON = '+14151230000';

/** A whole hub on virtual time: the real use cases between a table, a queue and a provider that can all fail. */
/** The function in which each kind of process runs on AWS, whose role it must not exceed. */
const ROLES = new Map([
  ['accept', 'send'],
  ['ask', 'admin'],
  ['audit', 'admin'],
  ['cancel', 'admin'],
  ['delete', 'admin'],
  ['echo', 'green-api'],
  ['erase', 'admin'],
  ['grant', 'admin'],
  ['night', 'watchdog'],
  ['pause', 'admin'],
  ['quota', 'admin'],
  ['renew', 'admin'],
  ['resume', 'admin'],
  ['retain', 'admin'],
  ['rotate', 'admin'],
  ['status', 'green-api'],
  ['switch', 'admin'],
  ['tick', 'sender'],
  ['watchdog', 'watchdog'],
]);

export class World {
  readonly seeded: Seeded;
  readonly scheduler: Scheduler;
  readonly store: MeteredStore;
  readonly provider: FakeProvider;
  readonly queue: FakeQueue;
  readonly invariants: Invariants;
  readonly config: SendingConfig;
  readonly processes = new Set<Process>();
  readonly errors: unknown[] = [];
  readonly counted = new Map<string, number>();
  /** How many parts came to each state, and credits back, by the metrics. */
  readonly ended = new Map<string, number>();
  faults: Faults = noFaults;
  fetch: (url: string) => Fetched = (url) => ({
    kind: 'ok',
    name: url,
    mimeType: 'text/plain',
    bytes: new Uint8Array(1),
  });
  probe: (account: Account) => ProbeResult = () => ({ kind: 'ok' });
  /** What the clock of the next run's host is off by. */
  skew: () => number = () => 0;
  /** How far the retention of `main` has come. */
  retaining: Awaited<ReturnType<typeof applyRetention>>['next'];
  /** Versions alone: what the credentials are is nobody's business here. */
  readonly secrets: Secrets = {
    get: async () => undefined,
    put: async () => {
      this.#versions += 1;
      return this.#versions;
    },
    delete: async () => undefined,
  };
  /** How far the clock of a watchdog's run is off. */
  watchSkew: () => number = () => 0;
  /** How often a webhook calls somebody by an id that hides the number. */
  hiding = 0;
  /** Until then nobody reaches the table. */
  awayUntil = 0;
  /** A run that outlives its time is not ended: as one whose host was suspended. */
  zombies = false;
  readonly #workspaces = new Map<string, string>();
  readonly #mutant: Mutant;
  #runs = 0;
  #versions = 0;

  constructor({ seed = 1, config = {}, mutant = {}, watchdog = true, start = START }: WorldOptions = {}) {
    this.seeded = new Seeded(seed);
    this.config = { ...defaultConfig, ...config };
    this.#mutant = mutant;
    this.scheduler = new Scheduler(this.seeded, start);
    this.provider = new FakeProvider(this.scheduler);
    this.invariants = new Invariants(() => this.store, this.provider);
    this.store = new MeteredStore({
      now: () => this.scheduler.now,
      isStale: () => this.seeded.chance(this.faults.stale),
      onCommit: (commits) => this.invariants.onCommit(commits),
    });
    // Nothing is there from an earlier release.
    for (const { name } of [feedFill, chatsFill])
      void this.store.write(put({ ...fillKey(name), workspace: '', done: true }));
    this.provider.onCall = (call) => this.invariants.onCall(call);
    this.provider.onStatus = (taken, status) => this.status(taken, status);
    this.provider.onEcho = (taken) => this.begin(this.echo(taken));
    this.queue = new FakeQueue(
      this.scheduler,
      this.seeded,
      () => this.faults,
      6 * FUNCTION_TIMEOUT_MS,
      (message, received, ended) => this.#runTick(message, received, ended),
    );
    if (watchdog) this.#scheduleWatchdog();
  }

  get now(): number {
    return this.scheduler.now;
  }

  run(milliseconds: number): Promise<void> {
    return this.scheduler.runUntil(this.now + milliseconds);
  }

  async addAccount(id: string, workspace: string, credits = 0): Promise<void> {
    const item = {
      ...accountKey(id),
      ...sendingStart(id, { minMs: 1_600, maxMs: 2_400 }),
      kind: 'account',
      id,
      workspace,
      provider: 'fake',
      channel: 'whatsapp',
      scope: id,
      createdAt: toIso(this.now),
      connectedAt: toIso(this.now),
    };
    this.#workspaces.set(id, workspace);
    await this.store.transact([put(item), put({ ...directoryKey(workspace, 'ACCOUNT', id) })], id);
    if (credits > 0) await this.grant(workspace, credits);
  }

  async grant(workspace: string, credits: number): Promise<void> {
    await grant(this.honest(), workspace, { credits, reason: 'test' }, this.config);
  }

  /** Of an account that is there, or was. */
  workspaceOf(account: string): string {
    const workspace = this.#workspaces.get(account);
    if (workspace === undefined) throw new Error(`there was never an account ${account}`);
    return workspace;
  }

  account(id: string): Account {
    const item = this.store.peek(accountKey(id));
    if (!item) throw new Error(`no account ${id}`);
    return readAccount(item);
  }

  message(messageId: string): Send {
    const item = this.store.peek(sendKey(messageId));
    if (!item) throw new Error(`no send ${messageId}`);
    return readSend(item);
  }

  /** Runs `work` as a process of its own; its promise never settles if the process is killed. */
  spawn<Result>(
    name: string,
    workspace: string | undefined,
    work: (ports: ReturnType<World['ports']>, process: Process) => Promise<Result>,
    skewMs = 0,
  ): Promise<Result> {
    const process: Process = { name, workspace, skewMs, alive: true };
    this.processes.add(process);
    const done = work(this.ports(process), process);
    return done.finally(() => this.processes.delete(process));
  }

  ports(process: Process) {
    const unrestricted: Store = faultyStore(
      this.store,
      process,
      this.scheduler,
      this.seeded,
      () => (this.now < this.awayUntil ? AWAY : this.faults),
      this.#mutant,
      (by, pk) => this.#checkTenant(by, pk),
    );
    const role = ROLES.get(process.name);
    const clock = this.#clock(process.skewMs, (ms) => this.scheduler.wait(process, ms));
    const store = role === undefined ? unrestricted : underRole(unrestricted, role);
    return {
      store,
      clock,
      random: this.seeded,
      log: { info: () => undefined, warn: () => undefined, error: () => undefined },
      metrics: {
        count: (name: string, fields: { readonly state?: string } = {}, value = 1) => {
          this.counted.set(name, (this.counted.get(name) ?? 0) + 1);
          const end = name === 'CreditsRefunded' ? name : fields.state;
          if (end !== undefined) this.ended.set(end, (this.ended.get(end) ?? 0) + value);
        },
      },
      ticks: {
        send: async (message: Tick, delaySeconds: number) => {
          await this.scheduler.pass(process, { call: 'ticks', moment: 'before', detail: message });
          this.queue.send(message, delaySeconds);
          await this.scheduler.pass(process, { call: 'ticks', moment: 'after', detail: message });
        },
      },
      attachments: {
        fetch: async (url: string, name: string) => {
          await this.scheduler.pass(process, { call: 'fetch', moment: 'before', detail: url });
          const fetched = this.fetch(url);
          return fetched.kind === 'ok' ? { ...fetched, name } : fetched;
        },
      },
      prober: {
        probe: async (account: Account) => {
          await this.scheduler.pass(process, { call: 'probe', moment: 'before', detail: account.id });
          return this.probe(account);
        },
      },
      openAccounts: this.#journals(process),
      sender: {
        send: (message: Parameters<FakeProvider['send']>[1], account: Account, deadline: number) => {
          const limit = () => this.#mutant.deadline?.(deadline, this.now) ?? deadline;
          return this.provider.send(process, message, account, limit);
        },
      },
    };
  }

  /** Ports on which nothing goes wrong. */
  honest() {
    return { store: this.store, clock: this.#clock(0), random: this.seeded };
  }

  #clock(skewMs: number, sleep: Clock['sleep'] = async () => undefined): Clock {
    return { now: () => Math.floor(this.now) + skewMs, monotonic: () => this.now, sleep };
  }

  /** One request to send; kept in mind for the promise of order. */
  async send(account: string, content: Partial<SendRequest> & Pick<SendRequest, 'parts'>): Promise<Accepted> {
    const begunAt = this.now;
    const workspace = this.workspaceOf(account);
    const request: SendRequest = { workspace, account, recipient: { phone: PERSON }, ...content };
    const answer = await this.spawn('accept', workspace, (ports) => accept(request, ports, this.config));
    if (answer.kind === 'accepted') {
      this.invariants.acceptances.push({ messageId: answer.messageId, account, begunAt, answeredAt: this.now });
    }
    return answer;
  }

  /** Sends a text and lets the world go on until it is answered. */
  async sendNow(account: string, content: Partial<SendRequest> = {}): Promise<string> {
    const answering = this.send(account, { parts: [{ kind: 'text', text: 'hello' }], ...content });
    const answer = await this.until(answering);
    if (answer.kind !== 'accepted' && answer.kind !== 'replayed') throw new Error(`not accepted: ${answer.kind}`);
    return answer.messageId;
  }

  async until<Result>(promise: Promise<Result>): Promise<Result> {
    let settled = false;
    const done = promise.finally(() => {
      settled = true;
    });
    for (let i = 0; i < 10_000 && !settled; i += 1) await this.run(10);
    if (!settled) throw new Error('it never ended');
    return done;
  }

  /** Lets something go its way; what goes wrong in it beyond the injected faults is a violation. */
  begin(running: Promise<unknown>): void {
    void this.#quietly(running);
  }

  crash(): void {
    for (const process of this.processes) process.alive = false;
    this.processes.clear();
  }

  /** The webhook of a message that went out, on the way that it takes from the table on; it comes again where that fails. */
  async echo(taken: Echoed, skewMs = 0): Promise<void> {
    const { account, providerId, scope = account } = taken;
    const workspace = this.workspaceOf(account);
    const isHidden = this.hiding > 0 && this.seeded.chance(this.hiding);
    const record = echoed(workspace, isHidden ? { ...taken, phone: hidden(taken.phone) } : taken);
    const key = stateKey({ workspace, provider: 'fake', scope }, providerId);
    await this.#delivered('echo', workspace, skewMs, (ports) =>
      sendReports(ports, this.config).outbound(record, record.event, key, undefined, []),
    );
  }

  /** By the provider's own clock, or by the time at which it comes. */
  status({ account, providerId, scope = account }: Named, state: Status): void {
    const workspace = this.workspaceOf(account);
    const key = stateKey({ workspace, provider: 'fake', scope }, providerId);
    const status = { state, messageId: providerId };
    const theirs = this.seeded.chance(0.5) ? this.now : undefined;
    const note = async ({ clock, ...ports }: ReturnType<World['ports']>) => {
      const life = { isTheirs: theirs !== undefined };
      const item = await noteStatus(ports.store, key, status, theirs ?? clock.now(), life);
      if (item) await onStatus({ clock, ...ports }, key, readProviderMessage(item), this.config);
    };
    void this.#quietly(this.#delivered('status', workspace, 0, note));
  }

  /** What a webhook tells comes again where that fails. */
  async #delivered(
    name: string,
    workspace: string,
    skewMs: number,
    report: (ports: ReturnType<World['ports']>) => Promise<void>,
  ): Promise<void> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await this.spawn(name, workspace, report, skewMs);
      } catch (error) {
        if (!isInjected(error) || tries === REDELIVERIES) throw error;
      }
    }
  }

  #runTick(message: Tick, received: Run['received'], ended: (result: TickResult | 'threw') => void): void {
    this.#runs += 1;
    const id = `run-${this.#runs}`;
    const workspace = this.workspaceOf(message.account);
    const endsAt = this.now + FUNCTION_TIMEOUT_MS;
    const run = { id, endsAt, received };
    const ticking = (ports: ReturnType<World['ports']>, process: Process) => {
      if (!this.zombies) this.scheduler.at(endsAt, () => this.#end(process));
      return tick(message, run, ports, this.config);
    };
    const running = this.spawn('tick', workspace, ticking, this.skew());
    void this.#quietly(
      running.then(ended, (error: unknown) => {
        ended('threw');
        throw error;
      }),
    );
  }

  #end(process: Process): void {
    process.alive = false;
    this.processes.delete(process);
  }

  #scheduleWatchdog(): void {
    this.scheduler.at(this.now + MINUTE, () => {
      void this.#quietly(this.watch());
      this.#scheduleWatchdog();
    });
  }

  watch(): Promise<void> {
    const run = (ports: ReturnType<World['ports']>) =>
      watchdog({ ...ports, tasks: tasksBy() }, this.now + WATCHDOG_TIMEOUT_MS, this.config);
    return this.spawn('watchdog', undefined, run, this.watchSkew());
  }

  /** The provider's side of the look for evidence. */
  #journals(process: Process): OpenAccounts {
    const find = async (account: Account, attempted: Attempted) => {
      await this.scheduler.pass(process, { call: 'evidence', moment: 'before', detail: attempted.messageId });
      const listed = this.provider.lists(account, attempted);
      await this.scheduler.pass(process, { call: 'evidence', moment: 'after', detail: attempted.messageId });
      return listed;
    };
    const notHere = async () => Promise.reject(new Error('the world has ports of its own for this'));
    return {
      open: async (account) => ({
        kind: 'open',
        account: { send: notHere, probe: notHere, find: (attempted) => find(account, attempted) },
      }),
    };
  }

  /** What the injected faults may lead to is no news; anything else is a fault of ours. */
  async #quietly(running: Promise<unknown>): Promise<void> {
    try {
      await running;
    } catch (error) {
      if (isInjected(error)) return;
      this.errors.push(error);
      this.invariants.violate(`a process threw: ${error instanceof Error ? error.stack : String(error)}`);
    }
  }

  #checkTenant(process: Process, pk: string): void {
    if (process.workspace === undefined) return;
    const [kind, first = ''] = pk.split('#');
    const item = this.store.peek({ pk, sk: 'META' });
    const marked = kind === 'ECHO' ? this.workspaceOf(first) : undefined;
    const owner = kind === 'WS' || kind === 'PID' || kind === 'IDEM' ? first : (marked ?? item?.workspace);
    if (owner !== undefined && owner !== process.workspace) {
      this.invariants.violate(`10: ${process.name} of ${process.workspace} touched ${pk}`);
    }
  }
}

const hidden = (phone: string): string => (phone.startsWith('+') ? `19${phone.slice(1)}@lid` : phone);

/** A report wraps what it throws, so that it is delivered again: then the cause tells. */
const isInjected = (error: unknown): boolean =>
  (error instanceof StoreUnavailable && (error.cause === undefined || isInjected(error.cause))) ||
  (error instanceof AggregateError && error.errors.every(isInjected));

/** By the account's own id, unless its provider has another name for it. */
type Named = Pick<Taken, 'account' | 'providerId'> & Partial<Pick<Taken, 'scope'>>;

/** A message of which a webhook tells. `title`: as its provider calls the chat. */
export interface Echoed extends Named, Pick<Taken, 'at' | 'phone' | 'said'> {
  readonly title?: string;
}

/** What a webhook tells of a message that account `a` has just sent to `PERSON`. */
export const hello = (world: World, providerId: string, { text = 'hello', phone = PERSON } = {}) => {
  return { account: 'a', providerId, at: world.now, phone, said: { kind: 'text', text } } as const;
};

/** An event as receiving hands it on, content and id, and not a word on which of our sends it is. */
function echoed(workspace: string, { account, providerId, at, phone, said, title }: Echoed) {
  const event: MessageEvent = {
    id: `evt_${providerId}`,
    workspace,
    provider: 'fake',
    webhookId: 'wh',
    accountId: account,
    occurredAt: toIso(at),
    receivedAt: toIso(at),
    kind: 'message',
    chatId: `cht_${phone}`,
    message: {
      id: providerId,
      chat: { id: phone, kind: 'individual', ...known({ title }) },
      direction: 'outbound',
      via: 'api',
      channel: 'whatsapp',
      sender: {},
      account: {},
      content:
        said.kind === 'text'
          ? { type: 'text', text: said.text }
          : { type: 'document', file: { name: said.name }, ...known({ caption: said.caption }) },
    },
  };
  return {
    event,
    raw: new Uint8Array(),
    contentType: 'application/json',
    contentHash: providerId,
    placeholder: false,
    orderedAt: at,
    receipt: providerId,
  };
}
