import { expect, test } from 'vitest';
import { systemClock } from '#lib/aws/runtime.ts';
import { attachmentFetcher, failureOf } from '#lib/net/attachments.ts';
import { fetching, rawFetching } from '#test/support/fetching.ts';

test.each([500, 502, 503, 504, 429, 408])('a host that answers %i may be asked again', async (status) => {
  const { fetched } = await fetching((_request, response) => response.writeHead(status).end('a secret'));
  expect(fetched).toEqual({ kind: 'unavailable', reason: `the file's host answered ${status}` });
});

test.each([400, 401, 403, 404, 410, 201, 204, 206, 304])('one that answers %i is not', async (status) => {
  const { fetched } = await fetching((_request, response) => response.writeHead(status).end());
  expect(fetched).toEqual({ kind: 'refused', reason: `the file's host answered ${status}` });
});

test('a redirect to nowhere is refused', async () => {
  const { fetched } = await fetching((_request, response) => response.writeHead(302).end());
  expect(fetched).toEqual({ kind: 'refused', reason: "the file's host answered 302" });
});

test('a host that refuses the connection may be asked again', async () => {
  const { host } = await fetching((_request, response) => response.end('x'));
  const fetcher = attachmentFetcher({ allowPrivateHosts: true, clock: systemClock });
  expect(await fetcher.fetch(`${host.url}/a`, 'a', systemClock.monotonic() + 2_000)).toEqual({
    kind: 'unavailable',
    reason: "the file's host refused the connection",
  });
});

test.each([
  { answer: '', kind: 'unavailable' },
  { answer: 'hello', kind: 'refused' },
  { answer: 'HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n', kind: 'unavailable' },
  { answer: 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx', kind: 'refused' },
  { answer: `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(100_000)}\r\n\r\n`, kind: 'refused' },
])('an answer that is no HTTP leads to an outcome, too ($kind)', async ({ answer, kind }) => {
  const { fetched } = await rawFetching((socket) => socket.end(answer), { limits: { firstByteMs: 500 } });
  expect(fetched.kind).toBe(kind);
});

test('a certificate that is not trusted is a reason for good, other faults of the network are not', () => {
  const withCode = (code: string) => failureOf(Object.assign(new Error('https://x/?token=s3cret'), { code }));
  expect(withCode('CERT_HAS_EXPIRED').kind).toBe('refused');
  expect(withCode('ERR_TLS_CERT_ALTNAME_INVALID').kind).toBe('refused');
  expect(withCode('DEPTH_ZERO_SELF_SIGNED_CERT').kind).toBe('refused');
  expect(withCode('EAI_AGAIN').kind).toBe('unavailable');
  expect(withCode('ENETUNREACH')).toEqual({
    kind: 'unavailable',
    reason: 'the file could not be fetched (ENETUNREACH)',
  });
  expect(failureOf(new Error('token=s3cret')).reason).not.toContain('s3cret');
});

test('no reason tells of the link or of what was found there', async () => {
  const listeners = [404, 500].map((status) => ({ status, headers: {} }));
  for (const { status, headers } of [...listeners, { status: 200, headers: { 'content-encoding': 's3cret' } }]) {
    const { fetched } = await fetching((_request, response) => response.writeHead(status, headers).end('s3cret'));
    expect(fetched.kind).not.toBe('ok');
    expect(JSON.stringify(fetched)).not.toMatch(/s3cret|token|private\/path|127\.0\.0\.1/);
  }
});
