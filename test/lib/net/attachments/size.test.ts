import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { fetching, rawFetching } from '#test/support/fetching.ts';

const LIMIT = 2_097_152;
const tooLarge = { kind: 'refused', reason: `the file is larger than ${LIMIT} bytes` };
const head = (...lines: string[]) => `${['HTTP/1.1 200 OK', ...lines].join('\r\n')}\r\n\r\n`;

test.each([true, false])('a file of 2,097,152 bytes is fetched whole (length announced: %s)', async (announced) => {
  const file = Buffer.alloc(LIMIT, 'x');
  const { fetched } = await fetching((_request, response) => {
    if (announced) response.setHeader('content-length', LIMIT);
    response.end(file);
  });
  expect(fetched.kind === 'ok' && file.equals(fetched.bytes)).toBe(true);
});

test.each([true, false])('a file of one byte more is refused (length announced: %s)', async (announced) => {
  const { fetched } = await fetching((_request, response) => {
    if (announced) response.setHeader('content-length', LIMIT + 1);
    response.write(Buffer.alloc(LIMIT, 'x'));
    response.end('x');
  });
  expect(fetched).toEqual(tooLarge);
});

test('what is announced as too large is not read at all', async () => {
  const { fetched, milliseconds } = await rawFetching((socket) => {
    socket.write(head('Content-Length: 2097153'));
  });
  expect(fetched).toEqual(tooLarge);
  expect(milliseconds).toBeLessThan(1_000);
});

test('a body without end is cut off after the limit', async () => {
  const { fetched, host } = await fetching((_request, response) => {
    endless().pipe(response);
  });
  expect(fetched).toEqual(tooLarge);
  // Twice the limit for us, and what the two kernels hold for the connection.
  expect(host.bytesSent()).toBeLessThan(16 * LIMIT);
});

test('a body in chunks of one byte takes no more memory than any other', async () => {
  const chunks = Buffer.from('1\r\nx\r\n'.repeat(100_000));
  const before = process.memoryUsage();
  const { fetched } = await rawFetching((socket) => {
    socket.write(head('Transfer-Encoding: chunked'));
    socket.write(chunks);
    socket.end('0\r\n\r\n');
  });
  expect(fetched.kind === 'ok' && fetched.bytes.length).toBe(100_000);
  expect(process.memoryUsage().rss - before.rss).toBeLessThan(64 * 1024 * 1024);
});

test('the file is asked for uncompressed', async () => {
  let asked: string | undefined;
  await fetching((request, response) => {
    asked = request.headers['accept-encoding'];
    response.end('x');
  });
  expect(asked).toBe('identity');
});

test.each([{ 'content-encoding': 'gzip' }, { 'content-encoding': 'br' }, { 'content-encoding': 'identity, GZIP' }])(
  'a file that comes compressed all the same is refused unopened: %j',
  async (headers) => {
    const { fetched } = await fetching((_request, response) => {
      response.writeHead(200, headers).end(gzipSync(Buffer.alloc(50_000_000)));
    });
    expect(fetched).toEqual({
      kind: 'refused',
      reason: "the file's host sends the file compressed, although asked not to",
    });
  },
);

test('so is one that is compressed as a coding of its transfer', async () => {
  const { fetched } = await rawFetching((socket) => {
    socket.end(`${head('Transfer-Encoding: gzip')}${gzipSync('x').toString('latin1')}`, 'latin1');
  });
  expect(fetched.kind).toBe('refused');
});

test('an archive is a file like any other, and is not unpacked', async () => {
  const bomb = gzipSync(Buffer.alloc(50_000_000));
  const { fetched } = await fetching((_request, response) => response.end(bomb), { name: 'logs.gz' });
  expect(fetched.kind === 'ok' && fetched.bytes.length).toBe(bomb.length);
});

test('nor looked into', async () => {
  const { fetched } = await fetching((_request, response) => response.end(gzipSync(tarOf('a.txt'))), { name: 'logs' });
  expect(fetched).toMatchObject({ kind: 'ok', name: 'logs.gz' });
});

test.each([['Connection: close'], []])(
  'a host that sends more than it announces is not believed (%s)',
  async (...lines) => {
    const { fetched } = await rawFetching((socket) => {
      socket.end(`${head('Content-Length: 10', ...lines)}${'x'.repeat(3_000_000)}`);
    });
    expect(fetched).toEqual({
      kind: 'refused',
      reason: "the file's host does not keep to HTTP, or sends more than it announces",
    });
  },
);

test('an announced length that contradicts the chunks does not count', async () => {
  const { fetched } = await rawFetching((socket) => {
    socket.end(`${head('Content-Length: 3', 'Transfer-Encoding: chunked')}5\r\nhello\r\n0\r\n\r\n`);
  });
  expect(fetched.kind).toBe('refused');
});

test('a host that sends less than it announces has broken off', async () => {
  const { fetched } = await rawFetching((socket) => {
    socket.end(`${head('Content-Length: 1000')}half`);
  });
  expect(fetched).toEqual({ kind: 'unavailable', reason: "the file's host broke off" });
});

test('an empty file is refused', async () => {
  const { fetched } = await fetching((_request, response) => response.end());
  expect(fetched).toEqual({ kind: 'refused', reason: 'the file is empty' });
});

/** The header of a tar archive, sum and all. */
function tarOf(name: string): Buffer {
  const header = Buffer.alloc(1_024);
  header.write(name);
  header.write('        ', 148);
  header.write('ustar', 257);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return header;
}

function endless(): Readable {
  const block = Buffer.alloc(65_536, 'x');
  return new Readable({
    read() {
      this.push(block);
    },
  });
}
