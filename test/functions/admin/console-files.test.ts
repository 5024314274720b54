import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { AdminBench } from './admin-bench.ts';

const open = { key: undefined };
const taking = (coding: string) => ({ ...open, headers: { 'accept-encoding': coding } });
const hub = new AdminBench();
const named = async () => {
  const { text } = await hub.call('GET', '/console', open);
  return [...text.matchAll(/(?:src|href)="(console\/[^"]+)"/g)].map(([, path]) => `/${path}`);
};

it('leads to the console from the root', async () => {
  const { status, headers } = await hub.call('GET', '/', open);
  expect([status, headers.location]).toEqual([302, './console']);
});

it('has no inline script or style, and a policy that allows none', async () => {
  const { text, headers } = await hub.call('GET', '/console', open);
  expect(text).not.toMatch(/<script(?![^>]*src=)|<style|\son\w+=|\sstyle=|javascript:/);
  const policy = headers['content-security-policy'] ?? '';
  for (const part of [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "connect-src 'self'",
    "img-src 'self' data: blob: https:",
    'media-src blob: https:',
    "base-uri 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
  ]) {
    expect(policy.split('; ')).toContain(part);
  }
  expect(headers['cache-control']).toBe('no-cache');
});

it('serves what the page names, compressed as the browser takes it, for a year', async () => {
  const paths = await named();
  expect(new Set(paths.map((path) => path.split('.').at(-1)))).toEqual(new Set(['css', 'js']));
  for (const path of paths) {
    const plain = await hub.call('GET', path, open);
    const zipped = await hub.call('GET', path, taking('gzip, deflate'));
    const best = await hub.call('GET', path, taking('gzip, deflate, br'));
    expect([plain, zipped, best].map(({ headers }) => headers['content-encoding'])).toEqual([undefined, 'gzip', 'br']);
    expect(gunzipSync(zipped.bytes).equals(plain.bytes)).toBe(true);
    expect(brotliDecompressSync(best.bytes).equals(plain.bytes)).toBe(true);
    expect(plain.headers['cache-control']).toBe('public, max-age=31536000, immutable');
  }
});

it.each(['../index.mjs', '..%2Findex.mjs', 'index.html.gz', 'build.json', '%00.js', 'index.mjs'])(
  'serves no file of another kind: %s',
  async (name) => {
    expect((await hub.call('GET', `/console/${name}`, open)).status).toBe(404);
  },
);

it('has no way to make markup of a text', async () => {
  const scripts = (await named()).filter((path) => path.endsWith('.js'));
  const text = (await Promise.all(scripts.map((path) => hub.call('GET', path, open)))).map((one) => one.text).join('');
  expect(text.length).toBeGreaterThan(10_000);
  expect(text).not.toMatch(/insertAdjacentHTML|document\.write|outerHTML=|document\.cookie/);
  // What stays in the browser is a yes or a no: no key, and nothing that anybody wrote.
  const kept = text.match(/localStorage.{0,40}/g) ?? [];
  expect(kept).toHaveLength(2);
  for (const one of kept)
    expect(one).toMatch(/^localStorage\.(?:getItem\(\w+\)==="yes"|setItem\(\w+,\w+\?"yes":"no"\))/);
});
