import * as outbound from '#functions/outbound.ts';
import { readers } from '#functions/providers.ts';
import { findChat, listChats } from '#lib/chats/list.ts';
import type { Event } from '#lib/domain/event.ts';
import { isRecord } from '#lib/domain/json.ts';
import { listEvents } from '#lib/inbox/events.ts';
import { receiver } from '#lib/inbox/receive.ts';
import { reachesOf } from '#lib/outbox/resolve.ts';
import type { Answer, ProviderRequest } from '#lib/sender/provider.ts';
import { tick } from '#lib/sender/tick.ts';
import { reportsOf } from './receiving.ts';
import { type BenchAccount, SendBench } from './send-bench.ts';
import { underRole, underRoleOf } from './under-role.ts';

const RECEIVES = 'a-token-for-receiving';
const CREDENTIALS = {
  apiUrl: 'https://api.example',
  idInstance: '7999000111',
  apiTokenInstance: 'made-up-token',
  apiToken: 'made-up-token',
  baseUrl: 'https://host.example',
  secret: 'made-up-secret',
  account: 'acc-1',
};
/** What each provider answers to a message that it takes. */
const TAKEN = (n: number) => ({
  idMessage: `P${n}`,
  status: 'ok',
  data: { message_uid: `P${n}`, messageId: `P${n}` },
});

/** One account of a real provider: what it is told, what it is sent, and what the hub shows of both. In memory. */
export class Conversation {
  readonly bench: SendBench;
  readonly asked: ProviderRequest[] = [];
  /** What the provider says to the next calls; what is not here is taken. */
  readonly answers: Partial<Answer>[] = [];
  readonly #provider: string;
  #runs = 0;

  constructor(provider: string) {
    const reaches = reachesOf(Object.values(outbound));
    this.#provider = provider;
    this.bench = new SendBench(undefined, {}, reaches);
  }

  /** `account`: false for a hub to which the account of the webhook is unknown. */
  async begin(account: BenchAccount | false = {}): Promise<this> {
    const provider = this.#provider;
    await this.bench.addCredits(100);
    await this.bench.addWebhook();
    const tied = account === false ? {} : { accountId: 'acc_1' };
    await this.bench.addWebhook({ webhookId: 'wh_r', kind: 'receive', provider, ...tied }, RECEIVES);
    const [instance, phone] = ['7999000111', '+15550100001'];
    const own = { provider, instance, phone, scope: provider === 'green-api' ? instance : phone };
    if (account !== false) await this.bench.addAccount('acc_1', { ...own, ...account });
    return this;
  }

  /** Answers the event as it is shown. `role`: of the function that takes it in. */
  async receive(body: object, role = this.#provider): Promise<Event> {
    const { bench } = this;
    const receiving = readers.get(this.#provider);
    if (!receiving) throw new Error('there is no such provider');
    const ports = { ...bench.ports(), store: underRoleOf(bench.memory, role) };
    const app = receiver(receiving, {
      ...ports,
      ...reportsOf(receiving, ports, bench.config),
      fallback: { send: async () => true },
      maxBytes: 1_048_576,
    });
    const headers = { 'content-type': 'application/json' };
    const answer = await app(RECEIVES, { headers, body: Buffer.from(JSON.stringify(body)) });
    const { id, status } = isRecord(answer.body) ? answer.body : {};
    const { items } = await listEvents(bench.memory, 'main', {}, { limit: 200 }, bench.now / 1000);
    const event = items.find((one) => one.id === id);
    if (!event || (status !== 'stored' && status !== 'duplicate'))
      throw new Error(`not stored: ${JSON.stringify(answer)}`);
    return event;
  }

  /** Queues a message; answers its id, or throws what was said instead. */
  async send(body: object): Promise<string> {
    const answer = await this.bench.post({ action: 'send', text: 'hello', ...body });
    if (answer.status !== 200) throw new Error(`${answer.status} ${answer.body.message}`);
    return answer.body.data.message_id;
  }

  /** Lets the account's queue send what is in it. Answers the requests that the provider got. */
  async deliver(during?: () => Promise<unknown>): Promise<readonly ProviderRequest[]> {
    const { bench, asked, answers } = this;
    const before = asked.length;
    const provider = Object.values(outbound).find(({ name }) => name === this.#provider);
    const still = bench.ports();
    const http = {
      call: async (request: ProviderRequest) => {
        asked.push(request);
        await during?.();
        const taken = { status: 200, headers: {}, text: JSON.stringify(TAKEN(asked.length)) };
        return { kind: 'answered', ...taken, ...answers.shift() } as const;
      },
    };
    const tools = { http, selfPost: { post: async () => true }, clock: still.clock };
    const account = { id: 'acc_1', provider: this.#provider, channel: 'whatsapp', phone: '+15550100001' } as const;
    const open = provider?.open(account, CREDENTIALS, tools);
    if (!open) throw new Error('the account cannot be opened');
    const ports = {
      ...still,
      store: underRole(bench.memory, 'sender'),
      sender: {
        send: (message: Parameters<typeof open.send>[0], _: unknown, deadline: number) => open.send(message, deadline),
      },
      attachments: { fetch: async () => ({ kind: 'refused', reason: 'no files here' }) as const },
    };
    for (let due = bench.ticks.shift(); due; due = bench.ticks.shift()) {
      bench.now = Math.max(bench.now + 5_000, due.at);
      const received = { times: 1, firstAt: bench.now };
      this.#runs += 1;
      await tick(due, { id: `run-${this.#runs}`, endsAt: bench.now + 45_000, received }, ports, bench.config);
    }
    return asked.slice(before);
  }

  /** The chats that are listed, each with the ids of its messages, oldest first. */
  async chats() {
    const { items } = await listChats(this.bench.memory, 'main', {}, { limit: 50 });
    return Promise.all(items.map(async (chat) => ({ ...chat, messages: await this.messages(chat.id) })));
  }

  history(chat: string) {
    return listEvents(this.bench.memory, 'main', { chat }, { limit: 200 }, this.bench.now / 1000);
  }

  async messages(chat: string): Promise<string[]> {
    const { items } = await this.history(chat);
    return items.flatMap((event) => (event.kind === 'message' ? event.message.id : [])).reverse();
  }

  chat(id: string) {
    return findChat(this.bench.memory, 'main', id);
  }
}
