import { existsSync } from 'node:fs';
import axe from 'axe-core';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import * as v from 'valibot';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { consoleLink } from '#infra/local/console-link.ts';
import { type Hub, startHub } from '#infra/local/hub.ts';

const CHROMIUM = ['/usr/bin/chromium', '/usr/bin/chromium-browser'].find((path) => existsSync(path));

let hub: Hub;
let browser: Browser;
/** What a page complained about: the policy refuses loudly. */
const complaints: string[] = [];

beforeAll(async () => {
  if (!CHROMIUM) throw new Error('Chromium is missing: apt-get install -y chromium');
  hub = await startHub({ environment: { PORT: '0', HOOKLINE_DATA: ':memory:' } });
  browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] });
});
afterAll(async () => {
  await browser?.close();
  await hub?.stop();
});
afterEach(async () => {
  await Promise.all(browser.contexts().map((context) => context.close()));
  expect(complaints.splice(0)).toEqual([]);
});

async function opened(options: BrowserContextOptions = {}): Promise<Page> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(15_000);
  page.on('pageerror', ({ message }) => complaints.push(message));
  page.on('console', (message) => {
    // Whoever is not signed in yet learns it by a 401.
    if (message.type() === 'error' && !message.text().includes('401')) complaints.push(message.text());
  });
  return page;
}

const linkOf = async () => /http\S+/.exec(await consoleLink(hub))?.[0] ?? '';

async function signedIn(options: BrowserContextOptions = {}): Promise<Page> {
  const page = await opened(options);
  await page.goto(await linkOf());
  await page.getByRole('heading', { name: 'Overview' }).waitFor();
  return page;
}

async function call(path: string, body?: object) {
  const response = await fetch(`${hub.url}${path}`, {
    headers: { authorization: `Bearer ${hub.adminKey}`, 'content-type': 'application/json' },
    ...(body && { method: 'POST', body: JSON.stringify(body) }),
  });
  return v.parse(v.record(v.string(), v.unknown()), await response.json());
}

/** One webhook: what one person writes is one conversation. */
let inbound: string | undefined;
let asked = 1000;

async function receive(body: object): Promise<void> {
  inbound ??= String((await call('/api/webhooks', { kind: 'receive', provider: 'sandbox' })).url);
  const response = await fetch(inbound, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ event: 'message', ...body }),
  });
  expect(response.status).toBe(200);
}

it('leads a newcomer from the link to a message that was answered and read, and a rule, by clicking alone', async () => {
  const page = await signedIn();
  expect(page.url()).not.toContain('once_');
  await page.getByRole('link', { name: 'Connect an account to send through' }).click();
  await page.getByLabel('Name').fill('Shop');
  await page.getByRole('button', { name: 'Connect an account' }).click();
  await page.getByRole('heading', { name: 'Shop' }).waitFor();
  await page.getByRole('link', { name: 'Overview' }).click();
  await page.getByRole('link', { name: 'Make a webhook for a provider' }).click();
  await page.getByRole('button', { name: 'Make a webhook' }).click();
  await page.getByText('Waiting for the first call').waitFor();
  await page.getByRole('button', { name: 'Send a sample' }).click();
  await page.getByText('The first call came').waitFor();
  await page.getByRole('link', { name: 'Inbox' }).click();
  await page.getByRole('link', { name: /Hello, Hookline!/ }).click();
  await page.getByRole('textbox', { name: 'Answer' }).fill('We are here.');
  await page.getByRole('textbox', { name: 'Answer' }).press('Enter');
  await page.locator('.bubble.ours', { hasText: 'We are here.' }).locator('.ticks.read').waitFor();
  expect(await page.locator('.bubble.ours').count()).toBe(1);
  await page.getByRole('link', { name: 'Rules' }).click();
  await page.getByRole('link', { name: 'Make a rule' }).click();
  await page.getByLabel('Begin with').selectOption('Answer a question by itself');
  await page.getByRole('textbox', { name: 'The words to look for' }).fill('hello\nprice');
  await page.getByRole('textbox', { name: 'The answer' }).fill('Hi {{ sender.name }}, here is our list.');
  await page.getByRole('checkbox', { name: 'Switched on' }).check();
  await page.getByRole('button', { name: 'Try it' }).click();
  await page.getByText(/^Fits 1 of/).waitFor();
  await page.getByText('It would be kept from sending: a person has answered in this chat').waitFor();
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByRole('heading', { name: 'Answer a question by itself' }).waitFor();
  await page.getByText('It has not run yet').waitFor();
  // Which rules there are is read anew every 15 s.
  const run = page.getByRole('table', { name: 'What it did' }).getByRole('row', { name: /done/ });
  await expect
    .poll(
      async () => {
        asked += 1;
        await receive({ id: `price-${asked}`, from: `+1555010${asked}`, name: `Ana ${asked}`, text: 'Your price?' });
        await page.waitForTimeout(1_000);
        return run.count();
      },
      { timeout: 30_000 },
    )
    .toBeGreaterThan(0);
  await run.first().getByRole('link', { name: 'the send' }).waitFor();
  await page.getByRole('link', { name: 'Inbox' }).click();
  await page
    .getByRole('link', { name: /Hi Ana \d+, here is our list\./ })
    .first()
    .click();
  await page.locator('.bubble.ours', { hasText: /^Hi Ana \d+, here is our list\./ }).waitFor();
  await page.goBack();
  await page.goBack();
  await page.getByRole('heading', { name: 'Answer a question by itself' }).waitFor();
});

it('keeps what is being written, and the place in it, while messages come in', async () => {
  const from = '+15550177';
  await receive({ id: 'typing-1', from, text: 'First' });
  const page = await signedIn();
  await page.getByRole('link', { name: 'Inbox' }).click();
  await page.getByRole('link', { name: /First/ }).click();
  const answer = page.getByRole('textbox', { name: 'Answer' });
  await answer.pressSequentially('Half a sent');
  await receive({ id: 'typing-2', from, text: 'Second' });
  await page.locator('.bubble', { hasText: 'Second' }).waitFor();
  await page.keyboard.type('ence');
  expect(await answer.inputValue()).toBe('Half a sentence');
  await page.getByRole('link', { name: 'Sends' }).click();
  await page.goBack();
  expect(await answer.inputValue()).toBe('Half a sentence');
});

it('signs in by key, refuses a wrong one, follows a link once, and is out when the key is deleted', async () => {
  const { key, id } = await call('/api/workspaces/main/keys', { name: 'Back office' });
  const page = await opened();
  await page.goto(`${hub.url}/console`);
  await page.locator('input[name=key]').fill('wrong');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('alert').getByText('This key is not valid here').waitFor();
  await page.locator('input[name=key]').fill(String(key));
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('heading', { name: 'Overview' }).waitFor();
  await page.reload();
  await page.getByRole('heading', { name: 'Overview' }).waitFor();
  const deleted = await fetch(`${hub.url}/api/workspaces/main/keys/${id}`, {
    method: 'DELETE',
    headers: { authorization: `Bearer ${hub.adminKey}` },
  });
  expect(deleted.status).toBe(204);
  await page.getByRole('heading', { name: 'Sign in to Hookline' }).waitFor();
  const link = await linkOf();
  await (await opened()).goto(link).then(() => undefined);
  const first = browser.contexts().at(-1)?.pages()[0];
  await first?.getByRole('heading', { name: 'Overview' }).waitFor();
  const second = await opened();
  await second.goto(link);
  await second.getByText('This link does not sign in any more').waitFor();
});

it('shows hostile content as text', async () => {
  const hostile = '<img src=x onerror="document.title=1"><script>document.title=1</script>';
  const long = 'x'.repeat(3_000);
  const from = '+15550166';
  await receive({ id: 'hostile-1', from, name: hostile, text: `${hostile} javascript:alert(1) https://ok.example/a` });
  await receive({ id: 'hostile-2', from, text: long });
  await receive({ id: 'hostile-3', from, text: '\u202Egnp.exe \u05E9\u05DC\u05D5\u05DD 😀'.repeat(20) });
  const page = await signedIn({ viewport: { width: 360, height: 740 } });
  await page.goto(`${hub.url}/console#/inbox`);
  await page.locator('.chat-list a', { hasText: 'gnp.exe' }).click();
  await page.locator('.bubble', { hasText: '<script>' }).waitFor();
  await page.locator('.bubble', { hasText: long }).waitFor();
  expect(await page.title()).toContain('Hookline');
  expect(await page.locator('.bubble img, .bubble script, .chat-list img').count()).toBe(0);
  const links = await page
    .locator('.bubble a[target]')
    .evaluateAll((all) => all.map((link) => [link.getAttribute('href'), link.getAttribute('rel')]));
  expect(links).toEqual([['https://ok.example/a', 'noreferrer noopener']]);
  expect(await page.evaluate('document.documentElement.scrollWidth - innerWidth')).toBeLessThanOrEqual(0);
});

it('opens the call behind a page in the API reference, filled in, and answers it by the session', async () => {
  const page = await signedIn();
  await page.goto(`${hub.url}/console#/sends?state=failed,unknown`);
  await page.getByRole('link', { name: 'The call behind this page:' }).click();
  const form = page.locator('details[open] form').first();
  await form.getByLabel('state').waitFor();
  expect(await form.getByLabel('state').inputValue()).toBe('failed,unknown');
  await form.getByRole('button', { name: 'Send GET' }).click();
  await form.getByText(/^200 in/).waitFor();
});

const PAGES = [
  ...['overview', 'inbox', 'sends', 'events', 'events?quarantined=true', 'webhooks', 'webhooks/new', 'accounts'],
  ...[
    'accounts/new',
    'endpoints',
    'endpoints/new',
    'rules',
    'rules/new',
    'rules/new?recipe=out-of-hours',
    'credits',
    'settings',
  ],
];

it.each([
  ['light', 1280],
  ['dark', 1280],
  ['light', 360],
  ['dark', 360],
] as const)('every page can be used by everybody, %s, %i px wide', async (colorScheme, width) => {
  const page = await signedIn({ colorScheme, viewport: { width, height: 800 }, bypassCSP: true });
  const chat = await page.evaluate<string>(
    "fetch('/api/chats').then((r) => r.json()).then(({ items }) => items[0].id)",
  );
  const rule = await page.evaluate<string>(
    "fetch('/api/rules').then((r) => r.json()).then(({ items }) => items[0].id)",
  );
  await page.addScriptTag({ content: axe.source });
  for (const name of [...PAGES, `inbox/${chat}`, `rules/${rule}`]) {
    await page.goto(`${hub.url}/console#/${name}`);
    await page.locator('main h1:visible, .thread h2:visible').first().waitFor();
    await page.waitForFunction("document.querySelector('.loading') === null");
    await page.waitForTimeout(300);
    const faults = await page.evaluate<string[]>(
      "axe.run().then(({ violations }) => violations.map(({ id, nodes }) => id + ' ' + nodes.map(({ html }) => html.slice(0, 160)).join(' | ')))",
    );
    expect(faults, `${name} ${colorScheme} ${width}`).toEqual([]);
    const overflow = await page.evaluate<number>('document.documentElement.scrollWidth - innerWidth');
    expect(overflow, `${name} ${width}`).toBeLessThanOrEqual(0);
  }
});

it('is on the screen within a second on a slow machine, and nothing jumps', async () => {
  const page = await signedIn();
  const session = await page.context().newCDPSession(page);
  await session.send('Emulation.setCPUThrottlingRate', { rate: 4 });
  await page.reload();
  await page.getByRole('heading', { name: 'Overview' }).waitFor();
  const paint = await page.evaluate<number>("performance.getEntriesByName('first-contentful-paint')[0].startTime");
  expect(paint).toBeLessThan(1_000);
});
