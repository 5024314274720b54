import { expect, test } from 'vitest';
import { agrees, isTextByName, kindOfFile, mimeTypeOf, typeByName } from '#lib/domain/file.ts';

const sniffed = (extension: string, mimeType = 'x/sniffed') => ({ extension, mimeType });

test.each([
  ['a.pdf', 'pdf'],
  ['photo.JPEG', 'jpg'],
  ['letter.docx', 'zip'],
  ['letter.doc', 'cfb'],
  ['voice.opus', 'ogg'],
  ['voice.m4a', 'mp4'],
  ['drawing.svg', 'xml'],
  ['Offer v1.2', 'pdf'],
  ['photo', 'png'],
  ['data.unheardof', 'png'],
])('%s may be of type %s', (name, extension) => {
  expect(agrees(name, sniffed(extension))).toBe(true);
});

test.each([
  ['a.pdf', 'exe'],
  ['a.pdf', 'png'],
  ['photo.jpg', 'pdf'],
  ['letter.docx', 'pdf'],
  ['a.txt', 'exe'],
  ['setup.exe', 'pdf'],
  ['letter.doc', 'zip'],
])('%s may not be of type %s', (name, extension) => {
  expect(agrees(name, sniffed(extension))).toBe(false);
});

test.each([
  ['letter.docx', 'application/vnd.openxmlformats-officedocument.wordprocessingml.document'],
  ['notes.txt', 'text/plain'],
  ['photo', 'x/sniffed'],
  ['a.constructor', 'x/sniffed'],
])('with a known extension the name tells the type, without one the bytes: %s is %s', (name, mimeType) => {
  expect(mimeTypeOf(name, sniffed('zip'))).toBe(mimeType);
});

test.each([
  ['Photo #3.jpg', 'image'],
  ['https://example.com/a/PHOTO.JPG?sig=1.2#top', 'image'],
  ['https://example.com/x.ogg?sig=a.jpg', 'audio'],
  ['Is it so?.mp4', 'video'],
  ['note.opus', 'audio'],
  ['letter.pdf', 'document'],
  ['jpg', 'document'],
  ['a.constructor', 'document'],
  [undefined, 'document'],
])('the ending of a name or link tells the kind: %s is of kind %s', (name, kind) => {
  expect(kindOfFile(typeByName(name))).toBe(kind);
});

test('the kind of a name is told at once, however long it is', () => {
  const began = performance.now();
  for (const sign of ['#', '?', '.', '1', '.1']) typeByName(`x${sign.repeat(500_000)}`);
  expect(performance.now() - began).toBeLessThan(1_000);
});

test('what neither name nor bytes tell is a file of bytes', () => {
  expect(mimeTypeOf('data', undefined)).toBe('application/octet-stream');
});

test('a text that begins like a program is a text, and a program under the name of a text is not', () => {
  expect(isTextByName('notes.txt', Buffer.from('MZ was here\r\n'))).toBe(true);
  expect(isTextByName('notes.txt', Buffer.from('MZ\x90\x00'))).toBe(false);
  expect(isTextByName('notes.exe', Buffer.from('MZ was here'))).toBe(false);
});
