import fc from 'fast-check';
import { expect, it } from 'vitest';
import * as outbound from '#functions/outbound.ts';
import type { OpenAccount, ProviderRequest, Reply } from '#lib/sender/provider.ts';
import { fileNamed, openFor, outboundTools, outgoing, within } from '#test/support/providers/outbound-bench.ts';

const token = fc.string({ unit: fc.constantFrom(...'abcXYZ0189-_'), minLength: 8, maxLength: 40 });
const host = 'https://provider.example';
const credentials = (secret: string): Readonly<Record<string, object>> => ({
  'green-api': { apiUrl: host, idInstance: '7999000111', apiTokenInstance: secret },
  timelinesai: { apiToken: secret, baseUrl: host },
  zender: { baseUrl: host, secret, account: 'one' },
  sandbox: {},
});

/** Repeats everything that it was asked, in each place where a provider might. */
function echo(status: number, request: ProviderRequest): Reply {
  const all = `${request.url} ${JSON.stringify(request.headers ?? {})} ${JSON.stringify(request.body ?? {})}`;
  const body = { status: status === 200 ? 'error' : status, statusCode: status, path: request.url, message: all };
  const more = { error_code: all, errors: [{ fields: ['phone'], msg: all }], reason: all, stateInstance: all };
  return { kind: 'answered', status, headers: { 'retry-after': all }, text: JSON.stringify({ ...body, ...more }) };
}

async function everything(account: OpenAccount): Promise<string> {
  const attempted = { messageId: 'm', part: 0, recipient: { chat_id: '12025550142' }, since: 0 };
  return JSON.stringify([
    await account.send(outgoing(), within(5000)),
    await account.send(outgoing({ content: fileNamed('a.pdf', 'application/pdf') }), within(5000)),
    await account.probe(within(5000)),
    await account.find({ ...attempted, content: { kind: 'text', text: 'hi' } }, within(5000)),
  ]);
}

it.each(Object.values(outbound).map((provider) => [provider.name, provider] as const))(
  '%s: no outcome, probe or evidence ever repeats a token, whatever the answer does',
  async (name, provider) => {
    const statuses = fc.constantFrom(200, 400, 401, 403, 404, 422, 429, 466, 469, 500, 502);
    await fc.assert(
      fc.asyncProperty(token, statuses, async (secret, status) => {
        const http = { call: async (request: ProviderRequest) => echo(status, request) };
        const account = openFor(provider, credentials(secret)[name], {}, { ...outboundTools(), http });
        expect(await everything(account)).not.toContain(secret);
      }),
      { numRuns: 60 },
    );
  },
);
