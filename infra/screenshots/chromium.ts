import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';

/** Debian's Chromium: the package `playwright-core` brings no browser along. */
export async function startChromium(): Promise<Browser> {
  const executablePath = ['/usr/bin/chromium', '/usr/bin/chromium-browser'].find((path) => existsSync(path));
  if (executablePath === undefined) throw new Error('Chromium is missing: apt-get install -y chromium');
  return chromium.launch({ executablePath, args: ['--no-sandbox'] });
}
