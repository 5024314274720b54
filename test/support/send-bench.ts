import { type ChatSighting, chatId } from '#lib/chats/chat.ts';
import { namesIn, sightChat } from '#lib/chats/people.ts';
import { grant, showCredits } from '#lib/credits/credits.ts';
import { sha256 } from '#lib/domain/ids.ts';
import { DEFAULT_PACING } from '#lib/domain/send/outcome.ts';
import type { Reach, Reaches } from '#lib/outbox/resolve.ts';
import { sendApp } from '#lib/outbox/submit.ts';
import { defaultConfig, type SendingConfig } from '#lib/sender/config.ts';
import { type Account, readAccount, readSend, type Send } from '#lib/sender/items.ts';
import type { Tick } from '#lib/sender/provider.ts';
import { accountKey, quotaKey, sendKey } from '#lib/store/keys.ts';
import { put, type Store } from '#lib/store/store.ts';
import { sendingStart } from '#lib/tenants/accounts.ts';
import { lastAttempts } from '#lib/tenants/attempts.ts';
import { type Webhook, webhookItem } from '#lib/tenants/webhooks.ts';
import { MemoryStore } from './memory-store.ts';
import { stillPorts } from './still-ports.ts';
import { underRole } from './under-role.ts';

export const TOKEN = 'a-token-that-only-the-caller-knows';
const NOW = Date.parse('2026-03-01T12:00:00.000Z');

export const courier: Reach = {
  longestText: () => 1_000,
  recipients: (channel) => (channel === 'sms' ? ['phone'] : ['phone', 'jid', 'chat_id']),
  takesFiles: (channel) => channel === 'whatsapp',
};

/** A provider for WhatsApp, one for SMS besides; `mute` can only receive, and what goes to `sandbox` reaches nobody. */
const reaches: Reaches = new Map([
  ['courier', courier],
  ['sandbox', { ...courier, isPretended: true }],
]);

export interface BenchAccount {
  readonly workspace?: string;
  readonly provider?: string;
  readonly channel?: 'whatsapp' | 'sms';
  readonly phone?: string;
  readonly instance?: string;
  readonly scope?: string;
  readonly paused?: boolean;
  readonly held?: boolean;
  readonly connectedAt?: string;
}

/** Everything that taking in sends needs, in memory, with all that it logged and ticked. */
export class SendBench {
  readonly store: Store;
  readonly memory = new MemoryStore();
  readonly logged: string[] = [];
  readonly counted: string[] = [];
  readonly ticks: Tick[] = [];
  now = NOW;
  ticksFail = false;
  readonly #still = stillPorts(this);
  readonly config: SendingConfig;
  readonly #send;

  constructor(
    wrap: (store: Store) => Store = (store) => store,
    config: Partial<SendingConfig> = {},
    reachable: Reaches = reaches,
  ) {
    this.store = wrap(this.memory);
    this.config = { ...defaultConfig, ...config };
    this.#send = sendApp({
      ...this.ports(),
      store: underRole(this.store, 'send'),
      reaches: reachable,
      config: this.config,
      rules: { allowPrivateHosts: false },
    });
  }

  ports() {
    return {
      store: this.store,
      ...this.#still,
      ticks: {
        send: async (tick: Tick) => {
          if (this.ticksFail) throw new Error('no queue');
          this.ticks.push(tick);
        },
      },
    };
  }

  async addWebhook(more: Partial<Webhook> = {}, token = TOKEN): Promise<void> {
    const webhook: Webhook = {
      webhookId: 'wh_1',
      workspace: 'main',
      kind: 'send',
      enabled: true,
      rotated: false,
      tokenPrefix: token.slice(0, 6),
      createdAt: '2026-01-01T00:00:00.000Z',
      ...more,
    };
    await this.memory.write(put(webhookItem(sha256(token), webhook)));
  }

  async addAccount(id: string, more: BenchAccount = {}): Promise<void> {
    const { workspace = 'main', provider = 'courier', channel = 'whatsapp', paused = false, ...others } = more;
    const item = {
      ...accountKey(id),
      ...sendingStart(id, DEFAULT_PACING),
      id,
      workspace,
      provider,
      channel,
      scope: id,
      createdAt: '2026-02-01T00:00:00.000Z',
      connectedAt: '2026-02-01T00:00:00.000Z',
      ...others,
      paused,
    };
    await this.memory.write(put(item));
    await this.memory.write(put({ pk: `WS#${workspace}`, sk: `ACCOUNT#${id}` }));
  }

  /** A chat in which something has come in; answers the hub's id of it. */
  async addChat(providerChatId: string, more: Partial<ChatSighting> = {}): Promise<string> {
    const { accountId, kind = 'individual', aliases = [] } = more;
    const chat: ChatSighting = {
      workspace: 'main',
      provider: 'courier',
      accountKey: accountId ?? 'unknown',
      providerChatId,
      kind,
      at: NOW,
      names: namesIn({ id: providerChatId, kind, aliases }),
      ...more,
    };
    await sightChat(this.memory, chat);
    return chatId(chat);
  }

  async addCredits(credits: number, workspace = 'main'): Promise<void> {
    await grant({ ...this.ports(), store: this.memory }, workspace, { credits, reason: 'test' }, this.config);
  }

  async post(body: unknown, headers: Readonly<Record<string, string>> = {}, token = TOKEN) {
    const bytes = typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body);
    const answer = await this.#send(token, {
      headers: { 'content-type': 'application/json', ...headers },
      body: typeof bytes === 'string' ? Buffer.from(bytes) : bytes,
      sourceIp: '192.0.2.7',
    });
    return { status: answer.status, headers: answer.headers ?? {}, body: JSON.parse(JSON.stringify(answer.body)) };
  }

  sends(): Send[] {
    return this.memory
      .all()
      .filter((item) => item.pk.startsWith('MSG#'))
      .map(readSend);
  }

  send(messageId: string): Send {
    const item = this.memory.peek(sendKey(messageId));
    if (!item) throw new Error(`${messageId} is not stored`);
    return readSend(item);
  }

  account(id: string): Account {
    const item = this.memory.peek(accountKey(id));
    if (!item) throw new Error(`${id} is not stored`);
    return readAccount(item);
  }

  credits(workspace = 'main') {
    return showCredits({ ...this.ports(), store: this.memory }, workspace, this.config);
  }

  /** Of the prepaid quota, straight from its item. */
  available(workspace = 'main'): number {
    return Number(this.memory.peek(quotaKey(workspace, 'lifetime'))?.available);
  }

  attempts(webhook = 'wh_1') {
    return lastAttempts(this.memory, webhook, this.now);
  }
}
