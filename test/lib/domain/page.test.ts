import { expect, test } from 'vitest';
import { isPage } from '#lib/domain/file.ts';

const utf8 = (text: string) => new TextEncoder().encode(text);
const utf16le = (text: string) => Buffer.from(text, 'utf16le');
const utf16be = (text: string) => Buffer.from(text, 'utf16le').swap16();

const pages = [
  '<!DOCTYPE html><title>Sign in</title>',
  '<!doctype HTML>',
  '<html lang="en">',
  '<HEAD>',
  '<body onload=go()>',
  '<script>',
  '<script src="x">',
  '<meta charset=utf-8>',
  '<iframe src="x">',
  '<!-- made by a builder --><div>',
  '<!-- one --><!-- two -->\n<html>',
  '<!-- never closed',
  '<?xml version="1.0"?>\n<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Strict//EN">',
  '\n\n \t<html>',
];

test.each(pages)('sees a page in %j, in each encoding, with and without a byte order mark', (text) => {
  for (const encoded of [utf8, utf16le, utf16be]) {
    expect(isPage(encoded(text))).toBe(true);
    expect(isPage(encoded(`\ufeff${text}`))).toBe(true);
    expect(isPage(encoded(`\ufeff\r\n  ${text}`))).toBe(true);
  }
});

test('white space cannot push a page out of sight', () => {
  expect(isPage(utf8(`${' \n'.repeat(50_000)}<html>`))).toBe(true);
});

test.each([
  'The tag <html> begins a page',
  '<htmlx>',
  '<header>',
  '<svg xmlns="http://www.w3.org/2000/svg"/>',
  '<!-- Generator --><svg viewBox="0 0 1 1"/>',
  '<?xml version="1.0"?><!-- Created with a tool --><svg/>',
  '<?xml version="1.0"?><invoice/>',
  '%PDF-1.7 <html>',
  '{"html":"<html>"}',
  '',
  '  ',
])('sees none in %j', (text) => {
  expect(isPage(utf8(text))).toBe(false);
});

test('sees none in bytes that are no text', () => {
  expect(isPage(Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a))).toBe(false);
  expect(isPage(new Uint8Array(2_097_152))).toBe(false);
});
