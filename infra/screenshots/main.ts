/** `npm run screenshots`: a hub of its own, the demonstration, and the pictures of `docs/console/`. */
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import * as v from 'valibot';
import { demonstrate } from '#infra/demo/demonstrate.ts';
import { hubAt } from '#infra/demo/hub.ts';
import { startHub } from '#infra/local/hub.ts';
import { startChromium } from './chromium.ts';

const FOLDER = fileURLToPath(new URL('../../docs/console/', import.meta.url));
const DESK = { width: 1280, height: 800 };
const PHONE = { width: 390, height: 780 };

interface Shot {
  readonly name: string;
  readonly size: typeof DESK;
  /** Behind the `#`. */
  readonly page: string;
  /** The link on that page, by its text, which leads to where the picture is taken. */
  readonly link?: string;
}

const SHOTS: readonly Shot[] = [
  { name: 'overview', size: DESK, page: 'overview' },
  { name: 'inbox', size: DESK, page: 'inbox', link: 'Mia Torres' },
  { name: 'sends', size: DESK, page: 'sends' },
  { name: 'endpoint', size: DESK, page: 'endpoints', link: 'Old accounting' },
  { name: 'rule', size: DESK, page: 'rules', link: 'Opening hours' },
  { name: 'phone', size: PHONE, page: 'inbox', link: 'Ana Ruiz' },
];

// Functions log to standard output, which is for what is done here.
const print = process.stdout.write.bind(process.stdout);
process.stdout.write = () => true;
console.log = (line = '') => void print(`${line}\n`);

const hub = await startHub({ environment: { PORT: '0', HOOKLINE_DATA: ':memory:' } });
const browser = await startChromium();
try {
  const link = await demonstrate(hubAt(hub.url, hub.adminKey));
  const state = await signedIn(browser, link);
  await isWhole();
  for (const shot of SHOTS) await take(browser, shot, state);
} finally {
  await browser.close();
  await hub.stop();
}

/** In its first minute a hub says that chats of an earlier release may be missing, and so does the console. */
async function isWhole(): Promise<void> {
  const { api } = hubAt(hub.url, hub.adminKey);
  const isPartial = async () =>
    v.is(v.object({ complete: v.literal(false) }), await api('/api/chats?phone=%2B15550100'));
  while (await isPartial()) await delay(1_000);
}

/** A zone in which it is late in the morning, whenever the pictures are taken. */
function morningZone(): string {
  const hours = 11 - new Date().getUTCHours();
  return `Etc/GMT${hours > 0 ? '-' : '+'}${Math.abs(hours)}`;
}

async function signedIn(browser: Browser, link: string) {
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(link);
  await page.getByRole('heading', { name: 'Overview' }).waitFor();
  const state = await context.storageState();
  await context.close();
  return state;
}

async function take(
  browser: Browser,
  { name, size, page: address, link }: Shot,
  storageState: Awaited<ReturnType<typeof signedIn>>,
): Promise<void> {
  const options = { viewport: size, colorScheme: 'light', reducedMotion: 'reduce', locale: 'en-GB' } as const;
  const touch = { isMobile: size === PHONE, hasTouch: size === PHONE };
  const context = await browser.newContext({ ...options, ...touch, timezoneId: morningZone(), storageState });
  const page = await context.newPage();
  await page.goto(`${hub.url}/console#/${address}`);
  // Followed without a click, which would scroll the list to it.
  const to = link && (await page.getByRole('link', { name: link }).first().getAttribute('href'));
  if (to) await page.goto(`${hub.url}/console${to}`);
  await settled(page);
  await page.screenshot({ path: `${FOLDER}${name}.png` });
  console.log(`docs/console/${name}.png`);
  await context.close();
}

async function settled(page: Page): Promise<void> {
  await page.locator('main h1:visible, .thread h2:visible').first().waitFor();
  await page.locator('.loading').first().waitFor({ state: 'detached' });
  await page.waitForLoadState('networkidle');
}
