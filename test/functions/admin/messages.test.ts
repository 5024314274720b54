import { describe, expect, it } from 'vitest';
import { AdminBench } from './admin-bench.ts';

const said = async (method: string, url: string, call = {}) => {
  const { status, json } = await new AdminBench().call(method, url, call);
  return [status, json.message];
};

describe('an error says what to do next', () => {
  it.each([
    ['accounts', 'No account has this id in this workspace'],
    ['chats', 'No chat has this id in this workspace'],
    ['events', 'No event has this id in this workspace'],
    ['messages', 'No message has this id in this workspace'],
    ['sends', 'No send has this id in this workspace'],
    ['webhooks', 'No webhook has this id in this workspace'],
  ])('of an id that is not there below /api/%s, by naming the kind of thing', async (list, message) => {
    expect(await said('GET', `/api/${list}/x_0`)).toEqual([404, message]);
  });

  it('of a workspace or a key that is not there', async () => {
    expect(await said('POST', '/api/workspaces/ws_0/keys')).toEqual([404, 'No workspace has this id']);
    expect(await said('DELETE', '/api/workspaces/main/keys/key_0')).toEqual([
      404,
      'No key has this id in this workspace',
    ]);
    expect((await said('GET', '/api/webhooks', { workspace: 'ws_0' }))[1]).toMatch(/^X-Workspace names no workspace/);
  });

  it('of a path that is not there, by where to look', async () => {
    for (const path of ['/nothing', '/api/nothing', '/docs/nothing.js', '/hooks/nobody/a-token']) {
      expect(await said('GET', path)).toEqual([404, 'There is nothing at this path; /docs lists what there is']);
    }
  });

  it('of a method that a path does not take, by naming those that it takes', async () => {
    expect(await said('PUT', '/api/webhooks')).toEqual([405, 'This path takes POST or GET, not PUT']);
    const traced = await new AdminBench().call('TRACE', '/api/webhooks');
    expect([traced.json.message, traced.headers.allow]).toEqual([
      'This path takes POST or GET, not TRACE',
      'POST, GET, HEAD',
    ]);
    for (const path of ['/hooks/sandbox/a-token', '/send/a-token']) {
      const { status, json, headers } = await new AdminBench().call('GET', path, { key: undefined });
      expect([status, json.message, headers.allow]).toEqual([405, 'This path takes POST, not GET', 'POST']);
    }
  });

  it.each([
    ['GET', '/api/events?limit=0', undefined, 'limit must be between 1 and 200'],
    ['GET', '/api/events?limit=many', undefined, 'limit must be between 1 and 200'],
    ['POST', '/api/workspaces', { name: '' }, 'name must not be empty'],
    ['POST', '/api/workspaces', { name: 'x'.repeat(201) }, 'name must have at most 200 characters'],
    ['POST', '/api/workspaces', [], 'the body must be an object'],
    ['POST', '/api/webhooks', [], 'the body must be an object'],
    [
      'POST',
      '/api/webhooks',
      { kind: 'send', provder: 'x' },
      'provder is not known here: the fields are kind, accountId, defaultCountry, name',
    ],
  ])('of a fault of %s %s %j, in the sentence itself', async (method, url, body, message) => {
    const call = body === undefined ? {} : { body };
    expect(await said(method, url, call)).toEqual([422, `The request is not valid: ${message}`]);
  });

  it('of several faults, the first and how many more', async () => {
    const { json } = await new AdminBench().call('GET', '/api/events?limit=0&after=x&kind=x');
    expect(json.message).toBe('The request is not valid: limit must be between 1 and 200 (and 2 more; see the issues)');
  });

  it('of a key that is missing, badly written or wrong', async () => {
    const messages = [
      { key: undefined },
      { key: undefined, headers: { authorization: 'the-admin-key' } },
      { key: 'hk_of-nobody' },
    ].map(async (call) => (await said('GET', '/api/events', call))[1]);
    expect(await Promise.all(messages)).toEqual([
      'A key is missing: send the header Authorization: Bearer <key>',
      'The Authorization header must read: Bearer <key>',
      'This key is not valid here: check it for slips, or ask for a new one',
    ]);
  });
});

it('the log of a webhook says apart what was wrong and where', async () => {
  const hub = new AdminBench();
  const { id, url } = await hub.webhook();
  await hub.post(url, { event: 'unheard of' });
  const { items } = await hub.done('GET', `/api/webhooks/${id}/attempts`);
  expect(items).toMatchObject([{ message: 'event: an event that is not known' }]);
});

it('who comes to the hub without a path is led to the console, and to the reference by its folder', async () => {
  for (const [path, to] of [
    ['/', '/console'],
    ['/docs/', '/docs'],
  ] as const) {
    const { headers } = await new AdminBench().call('GET', path, { key: undefined });
    expect(new URL(headers.location ?? '', `https://hub.example${path}`).pathname).toBe(to);
  }
});
