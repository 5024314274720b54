import fc from 'fast-check';
import { expect, test } from 'vitest';
import { examine } from '#lib/net/attachments.ts';
import { fetching } from '#test/support/fetching.ts';

const pdf = Buffer.concat([Buffer.from('%PDF-1.7\n%'), Buffer.from([0xe2, 0xe3, 0xcf, 0xd3]), Buffer.alloc(100, 'x')]);
const png = Buffer.from('89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489', 'hex');
const jpg = Buffer.from('ffd8ffe000104a46494600010100000100010000', 'hex');
const program = Buffer.concat([Buffer.from('MZ'), Buffer.alloc(200)]);
const zip = Buffer.concat([Buffer.from('PK\x03\x04'), Buffer.alloc(200)]);

const drive =
  '<!DOCTYPE html><html><head><meta name="google" content="notranslate"><title>report.pdf</title></head><body></body></html>';
const dropbox = '\n\n<!-- hello -->\n<html class="maestro" xmlns="http://www.w3.org/1999/xhtml"><head></head></html>';

test.each([
  { what: 'a page of a file sharing service', body: drive, type: 'text/html; charset=utf-8', name: 'a.pdf' },
  { what: 'another such page', body: dropbox, type: 'text/html', name: 'photo.jpg' },
  { what: 'a page under the type of a file', body: drive, type: 'application/pdf', name: 'a.pdf' },
  { what: 'a page in UTF-16', body: Buffer.from(`\ufeff${drive}`, 'utf16le'), type: 'text/plain', name: 'a.txt' },
  { what: 'what its host calls a page', body: 'Please sign in', type: 'text/html', name: 'a.txt' },
  { what: 'a page that is not offered as a download', body: drive, type: 'text/html', name: 'a.html' },
])('$what is refused, and what a direct link is explained', async ({ body, type, name }) => {
  const { fetched } = await fetching(
    (_request, response) => response.writeHead(200, { 'content-type': type }).end(body),
    { name },
  );
  expect(fetched.kind).toBe('refused');
  expect(fetched.kind === 'refused' && fetched.reason).toMatch(/opens a page, not a file: .*direct download/);
});

test('a page that is meant as a file is one', async () => {
  const headers = { 'content-type': 'text/html', 'content-disposition': 'attachment; filename=x.html' };
  const { fetched } = await fetching((_request, response) => response.writeHead(200, headers).end(drive), {
    name: 'a.html',
  });
  expect(fetched).toMatchObject({ kind: 'ok', name: 'a.html', mimeType: 'text/html' });
  const other = await fetching((_request, response) => response.writeHead(200, headers).end(drive), { name: 'a.pdf' });
  expect(other.fetched.kind).toBe('refused');
});

test.each([
  { name: 'a.pdf', body: pdf, sent: 'a.pdf', type: 'application/pdf' },
  { name: 'photo', body: png, sent: 'photo.png', type: 'image/png' },
  { name: 'photo.JPEG', body: jpg, sent: 'photo.JPEG', type: 'image/jpeg' },
  { name: 'Offer v1.2', body: pdf, sent: 'Offer v1.2.pdf', type: 'application/pdf' },
  {
    name: 'letter.docx',
    body: zip,
    sent: 'letter.docx',
    type: 'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
  },
  { name: 'car.txt', body: Buffer.from('BMW is a car'), sent: 'car.txt', type: 'text/plain' },
  { name: 'list.csv', body: Buffer.from('a;b\n1;2\n'), sent: 'list.csv', type: 'text/csv' },
  { name: 'data', body: Buffer.from('who knows'), sent: 'data', type: 'application/octet-stream' },
  { name: '../../x\r\n"y\u202e.pdf', body: pdf, sent: 'xy.pdf', type: 'application/pdf' },
  { name: `${'x'.repeat(300)}.pdf`, body: pdf, sent: `${'x'.repeat(116)}.pdf`, type: 'application/pdf' },
])('$name goes out as $sent, of type $type, whatever its host calls it', async ({ name, body, sent, type }) => {
  const { fetched } = await fetching(
    (_request, response) => response.writeHead(200, { 'content-type': 'application/x-lie' }).end(body),
    { name },
  );
  expect(fetched).toEqual({ kind: 'ok', name: sent, mimeType: type, bytes: new Uint8Array(body) });
});

test.each([
  { name: 'a.pdf', body: program },
  { name: 'a.pdf', body: png },
  { name: 'photo.png', body: jpg },
  { name: 'a.txt', body: program },
  { name: 'letter.docx', body: pdf },
])('bytes that are something else than $name says are refused', async ({ name, body }) => {
  const { fetched } = await fetching((_request, response) => response.end(body), { name });
  expect(fetched.kind).toBe('refused');
  expect(fetched.kind === 'refused' && fetched.reason).toMatch(
    /^the file is of type [\w.+/-]+, its name ends in \.\w+$/,
  );
});

test('a file that changes between two downloads is downloaded once, and the bytes checked are the bytes returned', async () => {
  let downloads = 0;
  const { fetched } = await fetching(
    (_request, response) => {
      downloads += 1;
      response.end(downloads === 1 ? pdf : program);
    },
    { name: 'a.pdf' },
  );
  expect(downloads).toBe(1);
  expect(fetched).toMatchObject({ kind: 'ok', bytes: new Uint8Array(pdf) });
});

const beginnings = [
  '30 26b2758e66cf11a6d900aa0062ce6c',
  'ff f1',
  '4f676753',
  '1a45dfa3',
  '3c3f786d6c',
  '89504e470d0a1a0a',
  '0000001866747970',
];

test('hostile bytes of any kind lead to an outcome, and soon', async () => {
  const start = performance.now();
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom('', ...beginnings),
      fc.uint8Array({ maxLength: 5_000, size: 'max' }),
      async (beginning, rest) => {
        const bytes = Buffer.concat([Buffer.from(beginning.replaceAll(' ', ''), 'hex'), rest]);
        expect(['ok', 'refused']).toContain((await examine('a', {}, bytes)).kind);
      },
    ),
    { numRuns: 500 },
  );
  expect(performance.now() - start).toBeLessThan(20_000);
});
