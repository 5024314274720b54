import { gunzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { AdminBench } from './admin-bench.ts';

const open = { key: undefined };

it('the page loads what it names, and nothing from elsewhere', async () => {
  const hub = new AdminBench();
  const page = await hub.call('GET', '/docs', open);
  const named = [...page.text.matchAll(/(?:src|href)="(docs\/[^"]+)"/g)].map(([, path]) => `/${path}`);
  const scripts = await Promise.all(named.map((path) => hub.call('GET', path, open)));
  expect(named.length).toBeGreaterThan(1);
  for (const path of named) expect((await hub.call('GET', path, open)).status, path).toBe(200);
  // The name of a language is no address.
  const texts = [page.text, ...scripts.map(({ text }) => text.replace('xmlns="http://www.w3.org/2000/svg"', ''))];
  expect(texts.join('')).not.toMatch(/https?:\/\//);
});

it('the page has no inline script or style, and its policy allows none', async () => {
  const { text, headers } = await new AdminBench().call('GET', '/docs', open);
  expect(text).not.toMatch(/<script(?![^>]*src=)|<style|\son\w+=|\sstyle=|javascript:/);
  expect(headers['content-security-policy']).toContain(
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'",
  );
});

it('the page keeps the key nowhere but in its field', async () => {
  const { status, text } = await new AdminBench().call('GET', '/docs/main.js', open);
  expect(status).toBe(200);
  expect(text).not.toMatch(/localStorage|sessionStorage|cookie|indexedDB|innerHTML|insertAdjacentHTML|document\.write/);
});

it('the page and what it loads travel compressed as the browser takes it', async () => {
  const hub = new AdminBench();
  for (const path of ['/docs', '/docs/main.js', '/docs/favicon.svg']) {
    const plain = await hub.call('GET', path, open);
    const zipped = await hub.call('GET', path, { ...open, headers: { 'accept-encoding': 'gzip' } });
    expect([plain, zipped].map(({ headers }) => headers['content-encoding'])).toEqual([undefined, 'gzip']);
    expect(gunzipSync(zipped.bytes).equals(plain.bytes)).toBe(true);
  }
});
