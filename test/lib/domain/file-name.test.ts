import fc from 'fast-check';
import { expect, test } from 'vitest';
import { extensionOf, safeFileName, withExtension } from '#lib/domain/file.ts';

test.each([
  { given: 'report.pdf', kept: 'report.pdf', because: 'a good name stays' },
  { given: '../../etc/passwd', kept: 'passwd', because: 'a path loses its folders' },
  { given: 'C:\\Users\\me\\plan.docx', kept: 'plan.docx', because: 'so does a path of Windows' },
  { given: 'folder/', kept: 'folder', because: 'the last part counts, not what follows it' },
  { given: 'a\r\nContent-Type: text/html\r\n.pdf', kept: 'html.pdf', because: 'line ends cannot start a header' },
  { given: 'a"; filename="b.exe', kept: 'a; filename=b.exe', because: 'quotes cannot end the name' },
  { given: 'nul\u0000.pdf', kept: 'nul.pdf', because: 'no NUL survives' },
  { given: 'invoice\u202efdp.exe', kept: 'invoicefdp.exe', because: 'reading order cannot be turned round' },
  { given: '\u2067a\u2069\u200f.txt', kept: 'a.txt', because: 'nor isolated' },
  { given: 'e\u0301te\u0301.txt', kept: 'été.txt', because: 'accents are composed' },
  { given: 'e\u202e\u0301.txt', kept: 'é.txt', because: 'also where a mark kept them apart' },
  { given: '\u1fef.txt', kept: 'file.txt', because: 'composing makes no quote' },
  { given: '\ud800a.txt', kept: 'a.txt', because: 'half a character is none' },
  { given: '..', kept: 'file', because: 'a folder is no name' },
  { given: '.pdf', kept: 'file.pdf', because: 'an extension alone gets a name' },
  { given: ' \t ', kept: 'file', because: 'blanks are no name' },
  { given: '', kept: 'file', because: 'nothing is no name' },
  { given: 'a.pdf. . ', kept: 'a.pdf', because: 'what Windows would cut off is cut off' },
  { given: '文件 📄.pdf', kept: '文件 📄.pdf', because: 'every script is welcome' },
])('$because: $given', ({ given, kept }) => {
  expect(safeFileName(given)).toBe(kept);
});

test('a name of 300 characters is cut to 120 and keeps its extension', () => {
  expect(safeFileName(`${'x'.repeat(300)}.pdf`)).toBe(`${'x'.repeat(116)}.pdf`);
});

test('a cut that brings an extension to light leaves no blank before it', () => {
  expect(safeFileName(`${'x'.repeat(115)} .pdf${'y'.repeat(10)}`)).toBe(`${'x'.repeat(115)}.pdf`);
});

test('cutting splits no character', () => {
  const name = safeFileName(`x${'📄'.repeat(200)}.pdf`);
  expect(name.isWellFormed()).toBe(true);
  expect(name.length).toBe(119);
});

test.each([
  ['a.PDF', 'pdf'],
  ['a.tar.gz', 'gz'],
  ['Offer v1.2', undefined],
  ['photo', undefined],
])('the extension of %s is %s', (name, extension) => {
  expect(extensionOf(name)).toBe(extension);
});

test('an extension that is added keeps the name within 120 characters', () => {
  expect(withExtension('x'.repeat(120), 'png')).toBe(`${'x'.repeat(116)}.png`);
});

const hostile = fc.string({
  unit: fc.oneof(
    fc.constantFrom(
      '/',
      '\\',
      '.',
      ' ',
      '"',
      "'",
      '\r',
      '\n',
      '\0',
      '\u202e',
      '\u2066',
      '\u0301',
      'e',
      '\u1fef',
      '.pdf',
    ),
    fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
    fc.constantFrom('\ud800', '\udc00', 'x'.repeat(60)),
  ),
  maxLength: 200,
});

test('whatever it is given, a name is short, in one part, printable, and stays as it is when cleaned again', () => {
  fc.assert(
    fc.property(hostile, (raw) => {
      const name = safeFileName(raw);
      expect(name.length).toBeGreaterThanOrEqual(1);
      expect(name.length).toBeLessThanOrEqual(120);
      expect(name).not.toMatch(/[\p{Cc}\p{Cs}/\\"'`\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/u);
      expect(name).not.toMatch(/^\.|\.$/);
      expect(name).toBe(name.normalize('NFC'));
      expect(safeFileName(name)).toBe(name);
    }),
    { numRuns: 5_000 },
  );
});

test.each(['.', ' ', ' .', '\u00a0', '/', '.a'])('is cleaned at once, however often %j is in it', (sign) => {
  const began = performance.now();
  expect(safeFileName(`x${sign.repeat(50_000)}x`).length).toBeLessThanOrEqual(120);
  expect(performance.now() - began).toBeLessThan(1_000);
});
