import { Ajv2020 } from 'ajv/dist/2020.js';
import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { openApi, RECEIVING_PATH, SENDING_PATH } from '#functions/admin/openapi.ts';
import { routesOf } from '#functions/admin/routes.ts';
import { providers } from '#functions/providers.ts';
import { sandbox } from '#functions/sandbox/provider.ts';
import { NOTICE_TYPES } from '#lib/domain/reaction/notice.ts';
import { deliveryKey, mutedKey, runKey } from '#lib/store/keys.ts';
import { put } from '#lib/store/store.ts';
import { AdminBench, itemsOf, message } from './admin-bench.ts';

const DELIVERED = { workspace: 'main', state: 'delivered', tries: 1, attempts: [], expiresAt: 2_000_000_000 };
const RULE = { name: 'A', on: ['*'], do: [{ action: 'reply', text: 'a' }] };
const routes = await routesOf(providers);
const names = providers.map(({ account }) => account.name);
const Anything = v.record(v.string(), v.unknown());
const Document = v.looseObject({
  openapi: v.string(),
  servers: v.array(v.looseObject({ url: v.string() })),
  paths: v.record(
    v.string(),
    v.record(
      v.string(),
      v.looseObject({
        operationId: v.string(),
        summary: v.string(),
        description: v.optional(v.string()),
        tags: v.array(v.string()),
        requestBody: v.optional(
          v.looseObject({
            required: v.optional(v.boolean()),
            content: v.record(v.string(), v.looseObject({ example: v.unknown() })),
          }),
        ),
        parameters: v.array(v.looseObject({ name: v.string(), in: v.string() })),
        responses: v.record(v.string(), v.looseObject({ description: v.string(), content: v.optional(Anything) })),
      }),
    ),
  ),
  webhooks: v.record(
    v.string(),
    v.object({
      post: v.looseObject({
        operationId: v.string(),
        requestBody: v.looseObject({
          content: v.object({
            'application/json': v.looseObject({
              example: v.looseObject({ data: v.looseObject({ id: v.string(), kind: v.string() }) }),
            }),
          }),
        }),
      }),
    }),
  ),
  components: v.looseObject({ schemas: v.record(v.string(), v.looseObject({})) }),
  tags: v.array(v.object({ name: v.string(), description: v.string() })),
});
const Choice = v.looseObject({
  oneOf: v.array(v.object({ $ref: v.string() })),
  discriminator: v.object({ propertyName: v.string(), mapping: v.record(v.string(), v.string()) }),
});
const SANDBOX = { provider: 'sandbox', channel: 'whatsapp', credentials: {}, phone: '+15550100001' };
const made = { ...openApi(routes, names, '1.2.3'), servers: [{ url: 'https://hub.example' }] };
const document = v.parse(Document, JSON.parse(JSON.stringify(made)));

// Formats are words to the reader here; what they mean is the business of the schemas that check.
const ajv = new Ajv2020({ strict: false, validateFormats: false });
ajv.addSchema(document, 'document');

/** What is wrong with a JSON answer by the document's schema of it. */
function faultsOf(method: string, path: string, status: number, body: unknown) {
  const steps = ['paths', path, method, 'responses', String(status), 'content', 'application/json', 'schema'];
  const pointer = steps.map((step) => encodeURIComponent(step.replaceAll('~', '~0').replaceAll('/', '~1'))).join('/');
  const validate = ajv.getSchema(`document#/${pointer}`);
  if (!validate) return `${method} ${path} does not document ${status}`;
  return validate(body) ? undefined : ajv.errorsText(validate.errors);
}

describe('the OpenAPI document', () => {
  it('tells each notice that an endpoint can be called with, whole or as ids alone', () => {
    expect(Object.keys(document.webhooks)).toEqual(Object.keys(NOTICE_TYPES));
    const names = new Set(Object.values(document.webhooks).map(({ post }) => post.operationId));
    expect(names.size).toBe(Object.keys(NOTICE_TYPES).length);
    for (const [type, { post }] of Object.entries(document.webhooks)) {
      const steps = ['webhooks', type, 'post', 'requestBody', 'content', 'application~1json', 'schema'];
      const validate = ajv.getSchema(`document#/${steps.map(encodeURIComponent).join('/')}`);
      const { example } = post.requestBody.content['application/json'];
      const { data } = example;
      const ids = { id: data.id, kind: data.kind, truncated: true };
      for (const told of [example, { ...example, data: ids }])
        expect([type, validate?.(told), validate?.errors]).toEqual([type, true, null]);
      for (const wrong of [
        { ...example, type: 'x' },
        { ...example, data: { id: data.id, kind: data.kind } },
      ])
        expect([type, validate?.(wrong)]).toEqual([type, false]);
    }
  });

  it('tells where the admin key may choose a workspace', () => {
    const choosing = (path: string, method: string) =>
      document.paths[path]?.[method]?.parameters.some(({ name }) => name === 'X-Workspace');
    expect(choosing('/api/events', 'get')).toBe(true);
    expect(choosing('/api/credits/grants', 'post')).toBe(true);
    expect(choosing('/api/credits/quota', 'put')).toBe(true);
    expect(choosing('/api/workspaces', 'post')).toBe(false);
  });

  it('describes every route, and no other but that of receiving', () => {
    const documented = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method} ${path}`),
    );
    const routed = routes.map(({ method, path }) => `${method} ${path}`);
    expect(documented.sort()).toEqual([...routed, `post ${RECEIVING_PATH}`, `post ${SENDING_PATH}`].sort());
  });

  it('gives every operation a name of its own and every parameter of its path', () => {
    const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.values(methods).map((operation) => ({ path, ...operation })),
    );
    expect(new Set(operations.map(({ operationId }) => operationId)).size).toBe(operations.length);
    for (const { path, parameters } of operations) {
      const inPath = parameters.filter((parameter) => parameter.in === 'path').map(({ name }) => `{${name}}`);
      expect(path.match(/\{\w+\}/g) ?? []).toEqual(inPath);
    }
  });

  it('says more of every operation than its summary, and describes every tag', () => {
    const used = new Set<string>();
    for (const [path, methods] of Object.entries(document.paths)) {
      for (const { summary, description, tags } of Object.values(methods)) {
        expect(description, path).toMatch(/^.{20,}\.$/);
        expect(description).not.toContain(summary);
        for (const tag of tags) used.add(tag);
      }
    }
    expect(document.tags.map(({ name }) => name).sort()).toEqual([...used].sort());
  });

  it('says where a body may be left out', async () => {
    const hub = new AdminBench();
    const told: boolean[] = [];
    for (const { method, path, access, body } of routes) {
      const { requestBody } = document.paths[path]?.[method] ?? {};
      if (!requestBody || access === 'public') continue;
      const { status } = await hub.call(method.toUpperCase(), path.replaceAll(/\{\w+\}/g, 'main'));
      expect(requestBody.required, `${method} ${path}`).toBe(status === 400);
      expect(v.is(body, {})).toBe(!requestBody.required);
      told.push(requestBody.required ?? false);
    }
    expect(new Set(told)).toEqual(new Set([true, false]));
  });

  it('gives a name to what several routes answer or take', () => {
    const counts = new Map<string, number>();
    const walk = (node: unknown): void => {
      if (typeof node !== 'object' || node === null) return;
      const { properties } = v.parse(v.looseObject({ properties: v.optional(v.unknown()) }), { ...node });
      const size = typeof properties === 'object' && properties !== null ? Object.keys(properties).length : 0;
      // A page of a list, and small shapes, are no things of their own.
      if (size > 3) counts.set(JSON.stringify(node), (counts.get(JSON.stringify(node)) ?? 0) + 1);
      for (const child of Object.values(node)) walk(child);
    };
    walk(document.paths);
    walk(document.components);
    const repeated = [...counts].filter(([text, times]) => times > 1 && !text.includes('"items":{"type":"array"'));
    expect(repeated.map(([text]) => text.slice(0, 80))).toEqual([
      // What a button of two kinds of content is.
      expect.stringContaining('["reply","url","call","copy"]'),
    ]);
  });

  it.each([
    ['Action', 'action', 5],
    ['Content', 'type', 23],
    ['Event', 'kind', 15],
  ])('names each variant of %s, which its %s tells apart', (name, property, count) => {
    const { oneOf, discriminator } = v.parse(Choice, document.components.schemas[name]);
    expect(discriminator.propertyName).toBe(property);
    expect(oneOf).toHaveLength(count);
    expect(Object.values(discriminator.mapping)).toEqual(oneOf.map(({ $ref }) => $ref));
    for (const [value, reference] of Object.entries(discriminator.mapping)) {
      const variant = document.components.schemas[reference.split('/').at(-1) ?? ''];
      expect(variant).toHaveProperty(['properties', property, 'const'], value);
      expect(reference).toMatch(new RegExp(`/\\w+${name}$`));
    }
  });

  it('says of every number that the hub counts that it is whole', () => {
    // What a provider says is shown as it came, and credentials are the provider's own.
    const theirs =
      /"(latitude|longitude|sim|index|listType|count|durationSeconds|batteryPercent|itemCount|used|total|size|score)"$/;
    const all = Object.entries(document.components.schemas);
    const ours = all.filter(([name]) => !/^New\w+Account$/.test(name));
    const found = [...JSON.stringify(ours).matchAll(/("\w+"):\{"type":"number"/g)];
    expect(found.map(([, name = '']) => name).filter((name) => !theirs.test(name))).toEqual([]);
    expect(JSON.stringify(document.paths)).not.toContain('"type":"number"');
    expect(document.paths['/api/events']?.get?.parameters.find(({ name }) => name === 'limit')).toMatchObject({
      schema: { type: 'integer', minimum: 1, maximum: 200 },
    });
  });

  it('writes no constant true or false, of which generators of clients make code that does not compile', () => {
    expect(JSON.stringify(document)).not.toMatch(/"const":(true|false)/);
    expect(JSON.stringify(document.paths['/api/chats']?.get?.responses[200])).toMatch(/"complete":\{"type":"boolean"/);
  });

  it('describes what a parameter of a list takes', () => {
    const parameters = document.paths['/api/messages']?.get?.parameters ?? [];
    for (const name of ['limit', 'cursor', 'after', 'before']) {
      expect(parameters.find((parameter) => parameter.name === name)).toHaveProperty('description');
    }
  });

  it('holds only schemas and references that can be followed', () => {
    expect(document.openapi).toBe('3.1.0');
    for (const name of Object.keys(document.components.schemas)) {
      expect(ajv.getSchema(`document#/components/schemas/${name}`), name).toBeDefined();
    }
    const references = [...JSON.stringify(document).matchAll(/"\$ref":"#\/components\/schemas\/(\w+)"/g)];
    expect(references.length).toBeGreaterThan(50);
    const named = new Set(references.map(([, name]) => name));
    expect([...named].sort()).toEqual(Object.keys(document.components.schemas).sort());
  });

  it('gives a name to each shape of a choice that has one', () => {
    const choices = Object.values(document.components.schemas).flatMap(({ oneOf, anyOf }) => [oneOf, anyOf]);
    const shapes = choices.flatMap((one) => (Array.isArray(one) ? one : []));
    expect(shapes.length).toBeGreaterThan(40);
    expect(shapes).toEqual(shapes.map(() => ({ $ref: expect.any(String) })));
    expect(document.components.schemas.NewZenderSmsAccount).toHaveProperty('properties.channel.enum', ['sms']);
  });

  it('begins every body with one that works as it stands', async () => {
    const hub = new AdminBench();
    const made = await hub.webhook();
    await hub.post(made.url, message(1));
    const [chat] = (await hub.walk('/api/chats')).items;
    for (const [path, methods] of Object.entries(document.paths)) {
      for (const [method, { requestBody }] of Object.entries(methods)) {
        // A key that stands in a document would be none.
        if (!requestBody || !path.startsWith('/api/') || path === '/api/session') continue;
        const { example } = requestBody.content['application/json'] ?? {};
        const account = await hub.done('POST', '/api/accounts', { body: SANDBOX });
        const endpoint = await hub.done('POST', '/api/endpoints', { body: { url: 'https://crm.example/' } });
        const rule = await hub.done('POST', '/api/rules', { body: RULE });
        const ids = {
          rules: rule.id,
          webhooks: made.id,
          chats: chat?.id,
          accounts: account.id,
          workspaces: 'main',
          endpoints: endpoint.id,
        };
        const id = new Map(Object.entries(ids)).get(path.split('/')[2] ?? '');
        const answer = await hub.call(method.toUpperCase(), path.replace('{id}', String(id)), { body: example });
        expect(answer.status, `${method} ${path}: ${answer.text}`).toBeLessThan(300);
      }
    }
  });

  it('says what is shown this once', () => {
    const said = JSON.stringify(document).match(/"(\w+)":\{[^{}]*hown this once/g) ?? [];
    expect(said.map((text) => text.split('"')[1]).sort()).toEqual(['key', 'secret', 'secret', 'token', 'url']);
  });

  it('shows a message that the sandbox takes, and one that can be sent', async () => {
    const hub = new AdminBench();
    const exampleOf = (path: string) => document.paths[path]?.post?.requestBody?.content['application/json']?.example;
    const { url } = await hub.webhook();
    expect((await hub.post(url, exampleOf(RECEIVING_PATH))).body).toMatchObject({ status: 'stored' });
    await hub.done('POST', '/api/accounts', { body: SANDBOX });
    const { url: sendUrl } = await hub.done('POST', '/api/webhooks', { body: { kind: 'send' } });
    const id = await hub.send(String(sendUrl), v.parse(Anything, exampleOf(SENDING_PATH)));
    expect(await hub.done('GET', `/api/sends/${id}`)).toMatchObject({ state: 'queued' });
  });

  it('is answered as it is, for the address that it was asked at', async () => {
    const { json } = await new AdminBench().call('GET', '/openapi.json', { key: undefined });
    expect(json).toEqual(document);
  });
});

describe('what takes long to make', () => {
  /** Counts how often somebody looks into its credentials. */
  function counting() {
    const counts = { read: 0 };
    const credentials = () => {
      const schema = v.strictObject({});
      Object.defineProperty(schema, 'entries', {
        get: () => {
          counts.read += 1;
          return {};
        },
      });
      return schema;
    };
    const account = { name: 'counting', channels: ['whatsapp' as const], canSend: false, credentials };
    return { counts, provider: { account, receiving: { ...sandbox, name: 'counting' } } };
  }

  it('is made once, whoever asks from wherever', async () => {
    const { counts, provider } = counting();
    const hub = new AdminBench({ providers: [provider] });
    const first = await hub.done('GET', '/openapi.json');
    const { read } = counts;
    expect(read).toBeGreaterThan(0);
    expect(await hub.done('GET', '/openapi.json')).toEqual(first);
    expect(counts.read).toBe(read);
  });
});

describe('the answers of the API', () => {
  it('are what the document says', async () => {
    const hub = new AdminBench();
    const checked: string[] = [];
    const call = async (method: string, path: string, ids: Record<string, unknown> = {}, body?: object) => {
      const url = path.replace(/\{(\w+)\}/g, (_match, name) => String(ids[name]));
      const typed = { headers: { 'content-type': 'application/json' } };
      const { status, json, headers } = await hub.call(method.toUpperCase(), url, body ? { body, ...typed } : {});
      const known = document.paths[path]?.[method]?.responses[status];
      expect(known, `${method} ${path} ${status}`).toBeDefined();
      if (known?.content?.['application/json']) {
        expect(headers['content-type']).toMatch(/^application\/json/);
        expect(faultsOf(method, path, status, json), `${method} ${path} ${status}`).toBeUndefined();
      }
      checked.push(`${method} ${path}`);
      return json;
    };
    const workspace = await call('post', '/api/workspaces', {}, { name: 'Another' });
    const key = await call('post', '/api/workspaces/{id}/keys', workspace);
    await call('get', '/api/workspaces');
    await call('patch', '/api/workspaces/{id}', workspace, { name: 'Renamed', retentionDays: 30 });
    await call('post', '/api/workspaces/{id}/retention/apply', workspace, {});
    await call('get', '/api/workspaces/{id}/keys', workspace);
    await call('delete', '/api/workspaces/{id}/keys/{keyId}', { ...workspace, keyId: key.id });
    await call('get', '/api/workspaces/{id}', workspace);
    await call('delete', '/api/workspaces/{id}', { id: 'main' });
    await call('delete', '/api/workspaces/{id}', workspace);
    const sandbox = { provider: 'sandbox', channel: 'whatsapp', credentials: {}, phone: '15550100' };
    const account = await call('post', '/api/accounts', {}, { ...sandbox, phone: '+155501001' });
    await call('post', '/api/accounts', {}, { ...sandbox, phone: 'x' });
    await call('post', '/api/accounts/test', {}, sandbox);
    await call('get', '/api/accounts');
    await call('get', '/api/accounts/{id}', account);
    await call('post', '/api/accounts/{id}/test', account);
    await call('patch', '/api/accounts/{id}', account, { name: 'Shop' });
    const made = { kind: 'receive', provider: 'sandbox', accountId: account.id, name: 'One' };
    const webhook = await call('post', '/api/webhooks', {}, made);
    await hub.post(String(webhook.url), message(1, { direction: 'outbound', title: 'Friends' }));
    await hub.post(String(webhook.url), { event: 'status', id: 'm1', status: 'read', at: message(1).at });
    await hub.post(String(webhook.url), { event: 'unheard of' });
    await call('get', '/api/changes');
    await call('get', '/api/stats');
    await call('get', '/api/summary');
    await call('get', '/api/webhooks');
    await call('get', '/api/webhooks/{id}', webhook);
    await call('patch', '/api/webhooks/{id}', webhook, { enabled: true });
    for (const kind of ['', '.csv', '.ndjson']) await call('get', `/api/webhooks/{id}/attempts${kind}`, webhook);
    await call('post', '/api/webhooks/{id}/rotate', webhook);
    await call('get', '/api/events');
    await call('get', '/api/events/quarantine');
    const [event] = (await hub.walk('/api/events?quarantined=true')).items;
    await call('get', '/api/events/{id}', event);
    await call('get', '/api/events/{id}/raw', event);
    await call('get', '/api/events/{id}/deliveries', event);
    await call('post', '/api/events/{id}/replay', event);
    await call('post', '/api/events/replay', {}, {});
    await call('post', '/api/events/{id}/dismiss', event);
    await call('post', '/api/events/{id}/dismiss', event);
    await call('post', '/api/events/dismiss', {}, { type: 'unheard of' });
    const [sent] = (await hub.walk('/api/messages')).items;
    await call('get', '/api/messages');
    await call('get', '/api/messages/{id}', sent);
    await call('get', '/api/messages/{id}/related', sent);
    await call('get', '/api/chats');
    await call('get', '/api/chats/{id}', { id: sent?.chatId });
    await call('get', '/api/chats/{id}', { id: 'chat_0' });
    await call('patch', '/api/chats/{id}', { id: sent?.chatId }, { readAt: '2026-03-01T12:00:00.000Z' });
    await call('post', '/api/accounts/{id}/pause', account, { reason: 'lunch' });
    const { url } = await call('post', '/api/webhooks', {}, { kind: 'send' });
    const file = { file_url: 'https://files.example/a.pdf', file_name: 'a.pdf' };
    const messageId = await hub.send(String(url), { ...file, account_id: account.id });
    await call('post', '/api/sends', {}, { phone: '+15550100099', text: 'hello', account_id: account.id });
    await call('get', '/api/sends');
    await call('get', '/api/sends/{messageId}', { messageId });
    await call('post', '/api/sends/{messageId}/resend', { messageId });
    await call('post', '/api/sends/{messageId}/cancel', { messageId });
    await call('post', '/api/sends/{messageId}/cancel', { messageId });
    await call('post', '/api/accounts/{id}/resume', account);
    await call('post', '/api/accounts/{id}/cancel', account);
    const endpoint = await call('post', '/api/endpoints', {}, { url: 'https://crm.example/in' });
    await call('get', '/api/endpoints');
    await call('get', '/api/endpoints/{id}', endpoint);
    await call('patch', '/api/endpoints/{id}', endpoint, { types: ['message.*'] });
    await call('post', '/api/endpoints/{id}/test', endpoint, {});
    await call('post', '/api/endpoints/{id}/rotate', endpoint, {});
    await call('post', '/api/endpoints/{id}/disable', endpoint);
    await call('post', '/api/endpoints/{id}/enable', endpoint);
    const told = { endpoint: String(endpoint?.id), storedAt: '2026-03-01T12:00:00.000Z', event: 'evt_1' };
    await hub.store.write(put({ ...deliveryKey(told.endpoint, told.storedAt, told.event), ...told, ...DELIVERED }));
    const deliveries = await call('get', '/api/endpoints/{id}/deliveries', endpoint);
    const [delivery] = itemsOf(deliveries ?? {});
    await call('get', '/api/deliveries/{id}', delivery);
    await call('post', '/api/deliveries/{id}/retry', delivery);
    const since = new Date(Date.parse(told.storedAt) - 60_000).toISOString();
    const replay = await call('post', '/api/endpoints/{id}/replay', endpoint, { since, only: 'all' });
    await call('get', '/api/replays/{id}', replay);
    await call('delete', '/api/endpoints/{id}', endpoint);
    await call('get', '/api/event-types');
    const rule = await call('post', '/api/rules', {}, RULE);
    await call('get', '/api/rules');
    await call('get', '/api/rules/fields');
    await call('get', '/api/rules/recipes');
    await call('get', '/api/rules/{id}', rule);
    await call('put', '/api/rules/{id}', rule, { ...RULE, name: 'B' });
    await call('patch', '/api/rules/{id}', rule, { enabled: false });
    await call('post', '/api/rules/try', {}, { rule: RULE, last: 5 });
    const ran = {
      event: 'evt_1',
      at: told.storedAt,
      result: 'done',
      actions: [{ action: 'reply', result: 'done', send: 'a' }],
    };
    await hub.store.write(put({ ...runKey(String(rule?.id), told.storedAt, 'evt_1'), ...ran }));
    await call('get', '/api/rules/{id}/runs', rule);
    const mute = { chatId: 'chat_1', rule: 'rule_1', why: 'a machine', until: '2099-01-01T00:00:00.000Z' };
    await hub.store.write(put({ ...mutedKey('main', 'chat_1'), ...mute }));
    await call('get', '/api/rules/muted');
    await call('delete', '/api/rules/muted');
    await call('post', '/api/rules/resume');
    await call('delete', '/api/rules/{id}', rule);
    await call('get', '/api/credits');
    await call('post', '/api/credits/grants', {}, { credits: 5, reason: 'bought' });
    await call('post', '/api/credits/grants', {}, { credits: 0, reason: '' });
    await call('get', '/api/credits/ledger');
    await call('get', '/api/credits/audit');
    await call('put', '/api/credits/quota', {}, { kind: 'monthly', credits: 50 });
    await call('delete', '/api/contacts/{phone}', { phone: '+15550100' });
    await call('delete', '/api/webhooks/{id}', webhook);
    await call('delete', '/api/accounts/{id}', account);
    await call('get', '/health');
    await call('get', '/api/session');
    await call('post', '/api/session/links');
    await call('post', '/api/session', {}, { key: 'the-admin-key' });
    await call('delete', '/api/session');
    expect([...new Set(checked)].sort()).toEqual(routes.map(({ method, path }) => `${method} ${path}`).sort());
  });
});
