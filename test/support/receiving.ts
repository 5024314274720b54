import * as outbound from '#functions/outbound.ts';
import { sha256 } from '#lib/domain/ids.ts';
import { isRecord } from '#lib/domain/json.ts';
import { type EventRecord, recordOf } from '#lib/inbox/event-item.ts';
import type { ReceivingProvider } from '#lib/inbox/provider.ts';
import { receiver } from '#lib/inbox/receive.ts';
import { type Envelope, type FallbackQueue, QueueUnavailable } from '#lib/inbox/records.ts';
import { defaultConfig, type SendingConfig } from '#lib/sender/config.ts';
import type { Tick } from '#lib/sender/provider.ts';
import { type ReportPorts, sendReports } from '#lib/sender/reports.ts';
import { eventKey } from '#lib/store/keys.ts';
import { isLive, put, type Store } from '#lib/store/store.ts';
import { type Webhook, webhookItem } from '#lib/tenants/webhooks.ts';
import { MemoryStore } from './memory-store.ts';
import { stillPorts } from './still-ports.ts';
import { underRoleOf } from './under-role.ts';

/** What a provider reports moves sends on where the hub sends through it. */
export function reportsOf({ name }: ReceivingProvider, ports: ReportPorts, config: SendingConfig) {
  const isSentThrough = Object.values(outbound).some((provider) => provider.name === name);
  return isSentThrough ? { sends: sendReports(ports, config) } : {};
}

export const TOKEN = 'a-token-that-only-the-provider-knows';
export const NOW = Date.parse('2026-03-01T12:00:00.000Z');

export interface Post {
  readonly token?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Everything that receiving needs, in memory, with all that it logged and counted. */
export class ReceivingBench {
  readonly store: Store;
  readonly parcels: Envelope[] = [];
  /** Those that the queue did not take as well. */
  readonly offered: Envelope[] = [];
  readonly ticks: Tick[] = [];
  readonly logged: string[] = [];
  readonly counted: string[] = [];
  now = NOW;
  fallbackTakes = true;
  /** So many more offers are refused. */
  fallbackFailures = 0;
  /** How long the queue takes to answer. */
  fallbackMs = 0;
  readonly #receive;

  constructor(provider: ReceivingProvider, store: Store = new MemoryStore(), maxBytes = 1_048_576) {
    this.store = store;
    const ports = { ...this.ports(), store: underRoleOf(store, provider.name) };
    this.#receive = receiver(provider, {
      ...ports,
      ...reportsOf(provider, ports, defaultConfig),
      fallback: this.#fallback(),
      maxBytes,
    });
  }

  ports() {
    return {
      store: this.store,
      ...stillPorts(this),
      ticks: { send: async (tick: Tick) => void this.ticks.push(tick) },
    };
  }

  #fallback(): FallbackQueue {
    return {
      send: async (envelope) => {
        this.offered.push(envelope);
        this.now += this.fallbackMs;
        this.fallbackFailures -= 1;
        if (!this.fallbackTakes || this.fallbackFailures >= 0) throw new QueueUnavailable('the queue is away');
        this.parcels.push(envelope);
        return true;
      },
    };
  }

  async addWebhook(provider: string, more: Partial<Webhook> = {}, token = TOKEN): Promise<void> {
    const webhook: Webhook = {
      webhookId: 'wh_1',
      workspace: 'main',
      kind: 'receive',
      provider,
      enabled: true,
      rotated: false,
      tokenPrefix: token.slice(0, 6),
      createdAt: '2026-01-01T00:00:00.000Z',
      ...more,
    };
    await this.store.write(put(webhookItem(sha256(token), webhook)));
  }

  async post(body: string | Uint8Array, { token = TOKEN, headers = {} }: Post = {}) {
    const answer = await this.#receive(token, {
      headers: { 'content-type': 'application/json', ...headers },
      body: typeof body === 'string' ? Buffer.from(body) : body,
      sourceIp: '192.0.2.7',
    });
    return { status: answer.status, body: isRecord(answer.body) ? answer.body : {} };
  }

  /** The stored record of an event that must be there. */
  async record(id: unknown): Promise<EventRecord> {
    const head = await this.store.get(eventKey(String(id)), { consistent: true });
    if (!head || !isLive(head, Math.floor(this.now / 1000))) throw new Error(`event ${String(id)} is not stored`);
    return recordOf(this.store, head);
  }
}
