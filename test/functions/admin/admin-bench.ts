import { resolve } from 'node:path';
import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import * as v from 'valibot';
import { adminApp } from '#functions/admin/app.ts';
import type { AdminPorts } from '#functions/admin/route.ts';
import * as outbound from '#functions/outbound.ts';
import { providers } from '#functions/providers.ts';
import { sandbox } from '#functions/sandbox/provider.ts';
import { lambdaOf } from '#lib/aws/http-entries.ts';
import { isRecord } from '#lib/domain/json.ts';
import type { Secrets } from '#lib/domain/ports.ts';
import { receiver } from '#lib/inbox/receive.ts';
import { reachesOf } from '#lib/outbox/resolve.ts';
import { sendApp } from '#lib/outbox/submit.ts';
import { patternMatcher } from '#lib/reactions/untrusted.ts';
import { defaultConfig } from '#lib/sender/config.ts';
import { openAccounts } from '#lib/sender/open-accounts.ts';
import type { ProviderRequest, Reply, Tick } from '#lib/sender/provider.ts';
import type { Store } from '#lib/store/store.ts';
import { MemoryStore } from '#test/support/memory-store.ts';
import { NOW, ReceivingBench, reportsOf } from '#test/support/receiving.ts';
import { tasksBy } from '#test/support/tasks.ts';
import { underRole, underRoleOf } from '#test/support/under-role.ts';

export const ADMIN = 'the-admin-key';

export interface Call {
  readonly key?: string | undefined;
  readonly workspace?: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly cookies?: readonly string[];
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly cookies: readonly string[];
  readonly bytes: Buffer;
  readonly text: string;
  /** The body as JSON; empty where it is none. */
  readonly json: Record<string, unknown>;
}

const Headers = v.record(v.string(), v.string());

/** The admin API as API Gateway calls it, on a store in memory, with everything that it logged. */
export class AdminBench {
  readonly store: Store;
  readonly secretValues = new Map<string, string>([['admin-key', ADMIN]]);
  readonly ticks: Tick[] = [];
  /** Calls of endpoints, and how they are answered. */
  readonly posted: ProviderRequest[] = [];
  answer: (request: ProviderRequest) => Reply = () => ({ kind: 'answered', status: 204, headers: {}, text: '' });
  /** Calls of providers. One that does not exist is not there. */
  provider: (request: ProviderRequest, deadline: number) => Reply | Promise<Reply> = () => ({
    kind: 'broken',
    breakdown: 'dns',
  });
  readonly bench: ReceivingBench;
  readonly ports: AdminPorts;
  readonly #handler;
  readonly #versions = new Map<string, readonly string[]>();

  constructor(
    options: Partial<Pick<AdminPorts, 'store' | 'providers' | 'random' | 'reach' | 'tasks' | 'mailFrom'>> & {
      readonly publicUrl?: string;
    } = {},
  ) {
    this.store = options.store ?? new MemoryStore({ now: () => this.bench.now });
    this.bench = new ReceivingBench(sandbox, this.store);
    const { random = this.bench.ports().random } = options;
    this.ports = {
      ...this.bench.ports(),
      store: underRole(this.store, 'admin'),
      random,
      secrets: this.#secrets(),
      providers: options.providers ?? providers,
      openAccounts: openAccounts(Object.values(outbound), {
        ...this.bench.ports(),
        secrets: this.#secrets(),
        http: { call: async (request, deadline) => this.provider(request, deadline) },
        selfPost: { post: async () => false },
      }),
      reach: options.reach ?? { anyPort: false, privateHosts: false },
      version: '1.2.3',
      ticks: { send: async (tick) => void this.ticks.push(tick) },
      config: { ...defaultConfig, startCredits: 1_000 },
      endpointReach: options.reach ?? { anyPort: false, privateHosts: false },
      tasks: options.tasks ?? tasksBy(),
      reaches: reachesOf(Object.values(outbound)),
      rules: { allowPrivateHosts: false },
      matches: patternMatcher(),
      cpu: () => 0,
      mailFrom: 'mailFrom' in options ? options.mailFrom : 'hub@example.com',
      http: {
        call: async (request) => {
          this.posted.push(request);
          return this.answer(request);
        },
      },
    };
    this.#handler = lambdaOf(adminApp(this.ports, resolve('dist/admin'), options.publicUrl));
  }

  get counted(): readonly string[] {
    return this.bench.counted;
  }

  get logged(): readonly string[] {
    return this.bench.logged;
  }

  #secrets(): Secrets {
    return {
      get: async (name, version) => (version ? this.#versions.get(name)?.[version - 1] : this.secretValues.get(name)),
      put: async (name, value) => {
        this.secretValues.set(name, value);
        const versions = [...(this.#versions.get(name) ?? []), value];
        this.#versions.set(name, versions);
        return versions.length;
      },
      delete: async (name) => {
        this.secretValues.delete(name);
      },
    };
  }

  async call(method: string, url: string, call: Call = {}): Promise<Answer> {
    const key = 'key' in call ? call.key : ADMIN;
    const result = await this.#handler(
      eventOf(method, url, {
        headers: {
          ...(key !== undefined && { authorization: `Bearer ${key}` }),
          ...(call.workspace !== undefined && { 'x-workspace': call.workspace }),
          ...call.headers,
        },
        ...(call.cookies && { cookies: call.cookies }),
        ...(call.body !== undefined && { body: typeof call.body === 'string' ? call.body : JSON.stringify(call.body) }),
      }),
    );
    const bytes = Buffer.from(result.body ?? '', result.isBase64Encoded ? 'base64' : 'utf8');
    const headers = v.parse(Headers, result.headers);
    const text = bytes.toString('utf8');
    const parsed: unknown = text && headers['content-type']?.startsWith('application/json') ? JSON.parse(text) : {};
    return {
      status: result.statusCode ?? 0,
      headers,
      cookies: result.cookies ?? [],
      bytes,
      text,
      json: isRecord(parsed) ? parsed : {},
    };
  }

  /** The JSON answered; throws where the answer is an error. */
  async done(method: string, url: string, call: Call = {}): Promise<Record<string, unknown>> {
    const { status, json, text } = await this.call(method, url, call);
    if (status >= 300) throw new Error(`${method} ${url} answered ${status}: ${text}`);
    return json;
  }

  /** All items of a list, page by page. */
  async walk(url: string, call: Call = {}): Promise<{ items: Record<string, unknown>[]; pages: number }> {
    const items: Record<string, unknown>[] = [];
    let cursor: unknown;
    let pages = 0;
    do {
      const separator = url.includes('?') ? '&' : '?';
      const page = await this.done('GET', cursor === undefined ? url : `${url}${separator}cursor=${cursor}`, call);
      items.push(...itemsOf(page));
      cursor = page.cursor;
      pages++;
    } while (cursor !== undefined && pages < 1000);
    return { items, pages };
  }

  async webhook(body: object = {}, call: Call = {}): Promise<{ id: string; url: string }> {
    const made = await this.done('POST', '/api/webhooks', {
      ...call,
      body: { kind: 'receive', provider: 'sandbox', ...body },
    });
    return { id: String(made.id), url: String(made.url) };
  }

  async workspaceWithKey(): Promise<{ id: string; key: string }> {
    const { id } = await this.done('POST', '/api/workspaces', { body: { name: 'Another' } });
    const { key } = await this.done('POST', `/api/workspaces/${id}/keys`);
    return { id: String(id), key: String(key) };
  }

  /** Posts to a webhook's URL as the provider would. */
  async post(url: string, body: unknown, contentType = 'application/json') {
    const [, , name, token = ''] = new URL(url).pathname.split('/');
    const provider = this.ports.providers.find(({ account }) => account.name === name);
    if (!provider) throw new Error(`no provider ${name}`);
    const fallback = { send: async () => false };
    const receiving = provider.receiving;
    const ports = { ...this.ports, store: underRoleOf(this.store, receiving.name) };
    const reports = reportsOf(receiving, ports, this.ports.config);
    const receive = receiver(receiving, { ...ports, ...reports, fallback, maxBytes: 1_048_576 });
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    const answer = await receive(token, {
      headers: { 'content-type': contentType },
      body: body instanceof Uint8Array ? body : Buffer.from(text),
      sourceIp: '192.0.2.7',
    });
    return { status: answer.status, body: isRecord(answer.body) ? answer.body : {} };
  }

  /** Hands a message in at a send webhook's URL, and answers the id that it got. */
  async send(url: string, body: object = {}, headers: Readonly<Record<string, string>> = {}): Promise<string> {
    const send = sendApp({ ...this.ports, store: underRole(this.store, 'send') });
    const request = { action: 'send', phone: '+15550100099', text: 'hello', ...body };
    const answer = await send(url.split('/').at(-1) ?? '', { headers, body: Buffer.from(JSON.stringify(request)) });
    const read = v.safeParse(v.object({ data: v.object({ message_id: v.string() }) }), answer.body);
    if (!read.success) throw new Error(`not accepted: ${JSON.stringify(answer)}`);
    return read.output.data.message_id;
  }
}

export function itemsOf(page: Record<string, unknown>): Record<string, unknown>[] {
  return v.parse(v.array(v.record(v.string(), v.unknown())), page.items);
}

/** A message of the sandbox; `n` makes it its own and one second later than the one before. */
export function message(n: number, more: object = {}) {
  const at = new Date(NOW - 3_600_000 + n * 1000).toISOString();
  return { event: 'message', id: `m${n}`, chat: '+15550100', text: `text ${n}`, at, ...more };
}

export function eventOf(
  method: string,
  url: string,
  {
    headers = {},
    cookies,
    body,
  }: { headers?: Record<string, string>; cookies?: readonly string[]; body?: string } = {},
): APIGatewayProxyEventV2 {
  const { pathname, search } = new URL(url, 'https://hub.example');
  const path = decodeURIComponent(pathname);
  return {
    version: '2.0',
    routeKey: 'ANY /api/{proxy+}',
    rawPath: path,
    rawQueryString: search.slice(1),
    headers,
    ...(cookies && { cookies: [...cookies] }),
    requestContext: {
      accountId: '000000000000',
      apiId: 'test',
      domainName: 'hub.example',
      domainPrefix: 'hub',
      http: { method, path, protocol: 'HTTP/1.1', sourceIp: '192.0.2.9', userAgent: 'test' },
      requestId: 'request-1',
      routeKey: 'ANY /api/{proxy+}',
      stage: '$default',
      time: '',
      timeEpoch: 0,
    },
    ...(body !== undefined && { body }),
    isBase64Encoded: false,
  };
}
