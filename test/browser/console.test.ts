import axe from 'axe-core';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import * as v from 'valibot';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { consoleLink } from '#infra/local/console-link.ts';
import { type Hub, startHub } from '#infra/local/hub.ts';
import { startChromium } from '#infra/screenshots/chromium.ts';
import { type FaultProxy, startFaultProxy } from '#test/support/fault-proxy.ts';

let hub: Hub;
let table: FaultProxy | undefined;
let browser: Browser;
/** What a page complained about: the policy refuses loudly. */
const complaints: string[] = [];

beforeAll(async () => {
  browser = await startChromium();
  hub = await startHub({
    environment: { PORT: '0', HOOKLINE_DATA: ':memory:' },
    report: () => undefined,
    between: async (engine, endpoint) => {
      if (engine !== 'dynamoDb') return endpoint;
      table = await startFaultProxy(endpoint);
      return table.endpoint;
    },
  });
});
afterAll(async () => {
  await browser?.close();
  await hub?.stop();
  await table?.stop();
});
afterEach(async () => {
  table?.clear();
  await Promise.all(browser.contexts().map((context) => context.close()));
  expect(complaints.splice(0)).toEqual([]);
});

async function opened(options: BrowserContextOptions = {}): Promise<Page> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
  const page = await context.newPage();
  // Of what never comes: a machine that is busy with other things is slow, and no fault of the console.
  page.setDefaultTimeout(40_000);
  page.on('pageerror', ({ message }) => complaints.push(message));
  page.on('console', (message) => {
    // Whoever is not signed in yet learns it by a 401.
    if (message.type() === 'error' && !message.text().includes('401')) complaints.push(message.text());
  });
  return page;
}

/** Asks anew twice a second, as if somebody came back to the tab: how often it asks by itself, `live.test.tsx` sees. */
const restless = (page: Page) =>
  page.evaluate("void setInterval(() => document.dispatchEvent(new Event('visibilitychange')), 500)");

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
  await restless(page);
  expect(page.url()).not.toContain('once_');
  await page.getByRole('link', { name: 'Connect an account to send through' }).click();
  await page.getByLabel('Name').fill('Shop');
  await page.getByRole('button', { name: 'Test the connection' }).click();
  await page.locator('.badge', { hasText: 'connected' }).waitFor();
  await page.getByRole('button', { name: 'Connect an account' }).click();
  await page.getByRole('heading', { name: 'Shop' }).waitFor();
  await page.getByRole('link', { name: 'Overview' }).click();
  await page.getByRole('link', { name: 'Make a webhook for a provider' }).click();
  await page.getByRole('button', { name: 'Make a webhook' }).click();
  await page.getByText('Waiting for the first call').waitFor();
  await page.getByRole('link', { name: 'Overview' }).click();
  await page.getByRole('link', { name: 'Receive the first event' }).click();
  await page.getByRole('table', { name: 'Webhooks' }).getByRole('link').first().click();
  await page.getByRole('button', { name: 'Send a sample' }).click();
  await page.getByText('The first call came').waitFor();
  await page.getByRole('link', { name: 'Inbox' }).click();
  await page.getByRole('link', { name: /Hello, Hookline!/ }).click();
  await page.getByRole('button', { name: 'Reply with a quote' }).click();
  await page.locator('.composer .quote', { hasText: 'Hello, Hookline!' }).waitFor();
  expect(await page.evaluate<string>('document.activeElement.ariaLabel')).toBe('Answer');
  await page.getByRole('textbox', { name: 'Answer' }).fill('We are here.');
  await page.getByRole('textbox', { name: 'Answer' }).press('Enter');
  await page.locator('.bubble.ours', { hasText: 'We are here.' }).locator('.ticks.read').waitFor();
  expect(await page.locator('.bubble.ours').count()).toBe(1);
  await page.locator('.bubble.ours .quote', { hasText: 'Hello, Hookline!' }).waitFor();
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
  // Somebody else writes: where a person has answered, the rule is silent.
  await page.getByRole('link', { name: 'A sample from the page of a webhook tries it out.' }).click();
  await page.getByRole('table', { name: 'Webhooks' }).getByRole('link').first().click();
  await page.getByRole('button', { name: 'Send a sample' }).click();
  await page.getByRole('link', { name: 'Rules' }).click();
  await page.getByRole('link', { name: 'Answer a question by itself' }).click();
  const run = page.getByRole('table', { name: 'What it did' }).getByRole('row', { name: /done/ });
  await run.getByRole('link', { name: 'the send' }).waitFor();
  await page.getByRole('link', { name: 'Inbox' }).click();
  await page.getByRole('link', { name: /Hi [^,]+, here is our list\./ }).click();
  await page.locator('.bubble.ours', { hasText: /^Hi [^,]+, here is our list\./ }).waitFor();
  await page.goBack();
  await page.goBack();
  await page.getByRole('heading', { name: 'Answer a question by itself' }).waitFor();
});

it('keeps what is being written, and the place in it, while messages come in', async () => {
  const from = '+15550177';
  await receive({ id: 'typing-0', from, text: 'Line\n'.repeat(60) });
  await receive({ id: 'typing-1', from, text: 'First' });
  const page = await signedIn();
  await restless(page);
  await page.getByRole('link', { name: 'Inbox' }).click();
  const listed = page.locator('.chat-list a', { hasText: 'First' });
  await listed.waitFor();
  const colours =
    '[getComputedStyle(document.querySelector(".unread + time")).color, getComputedStyle(document.querySelector(".unread-dot")).backgroundColor]';
  const [time, mark] = await page.evaluate<string[]>(colours);
  expect(time, 'when something unread came').toBe(mark);
  await listed.click();
  const answer = page.getByRole('textbox', { name: 'Answer' });
  await answer.pressSequentially('Half a sent');
  await receive({ id: 'typing-2', from, text: 'Second' });
  await page.locator('.bubble', { hasText: 'Second' }).waitFor();
  await page.keyboard.type('ence');
  expect(await answer.inputValue()).toBe('Half a sentence');
  // The newest stays in sight when what is below it takes more room.
  await page.getByRole('button', { name: 'Add a file' }).click();
  await page.getByLabel('Link to the file').waitFor();
  const list = 'document.querySelector(".scroller")';
  const below = () => page.evaluate<number>(`${list}.scrollHeight - ${list}.clientHeight - ${list}.scrollTop`);
  await expect.poll(below).toBeLessThan(2);
  await page.getByRole('button', { name: 'Without a file' }).click();
  await page.getByRole('link', { name: 'Sends' }).click();
  await page.goBack();
  expect(await answer.inputValue()).toBe('Half a sentence');
  // Who reads further up stays there. At this width the contact stands beside it, and is asked for all the same.
  await page.setViewportSize({ width: 1200, height: 500 });
  await page.goto(`${page.url()}?show=contact`);
  await page.getByRole('complementary', { name: 'Contact' }).waitFor();
  const place = 'document.querySelector(".scroller").scrollTop';
  await page.evaluate(`${place} = 300`);
  await receive({ id: 'typing-3', from, text: 'Last' });
  await page.locator('.bubble', { hasText: 'Last' }).waitFor();
  expect(await page.evaluate<number>(place)).toBe(300);
});

it('is led by keys: through the list, into a conversation, to the search, to other pages', async () => {
  for (const [id, from] of [
    ['Kim', '+15550178'],
    ['Max', '+15550180'],
    ['Lou', '+15550179'],
  ] as const)
    await receive({ id, from, title: id, text: `From ${id}` });
  const page = await signedIn();
  const keys = async (...all: readonly string[]) => {
    for (const key of all) await page.keyboard.press(key);
  };
  const focused = () =>
    page.evaluate<string>(
      'document.activeElement.ariaLabel ?? document.querySelector("a:focus, button:focus")?.innerText ?? ""',
    );
  await keys('g', 'i');
  await page.locator('.chat-list a', { hasText: 'From Lou' }).waitFor();
  await keys('j', 'j', 'k');
  expect(await focused()).toContain('From Lou');
  await keys('j', 'j');
  expect(await focused()).toContain('From Kim');
  // What is gone to moves, and stays what is gone to.
  await restless(page);
  await receive({ id: 'Kim-2', from: '+15550178', title: 'Kim', text: 'Again from Kim' });
  await page.locator('.chat-list li:first-child', { hasText: 'Again from Kim' }).waitFor();
  expect(await focused()).toContain('Again from Kim');
  await keys('Enter');
  await page.getByRole('heading', { name: 'Kim' }).first().waitFor();
  await keys('Enter');
  expect(await focused()).toBe('Answer');
  await keys('j', '?', 'Escape');
  expect(await page.getByRole('textbox', { name: 'Answer' }).inputValue()).toBe('j?');
  await keys('/');
  expect(await focused()).toBe('Find by title or number');
  await keys('Escape', '?');
  await page.getByRole('dialog', { name: 'Keyboard' }).waitFor();
  await keys('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  await keys('g', 's');
  await page.getByRole('heading', { name: 'Sends' }).waitFor();
  // Where the window is narrow or zoomed in, a menu holds what has no room; Escape closes it, and leads back to it.
  await page.setViewportSize({ width: 320, height: 256 });
  const menu = page.getByRole('button', { name: 'All pages' });
  await keys('?');
  const help = page.getByRole('dialog', { name: 'Keyboard' });
  await help.waitFor();
  const cut = "document.querySelector('dialog').scrollWidth - document.querySelector('dialog').clientWidth";
  expect(await page.evaluate<number>(cut)).toBe(0);
  await keys('Escape');
  await help.waitFor({ state: 'detached' });
  await menu.focus();
  await keys('Enter', 'Tab', 'Tab');
  await page.getByRole('button', { name: 'Sign out' }).waitFor();
  await keys('Escape');
  await page.getByRole('button', { name: 'Sign out' }).waitFor({ state: 'hidden' });
  expect(await focused()).toBe('All pages');
  await page.goBack();
  await page.locator('.composer').waitFor();
  expect(await page.evaluate<number>("document.querySelector('.scroller').clientHeight")).toBeGreaterThan(100);
  await page.setViewportSize({ width: 1280, height: 800 });
  await page.goForward();
  await page.getByRole('heading', { name: 'Sends' }).waitFor();
  await page.goBack();
  await page.getByRole('heading', { name: 'Kim' }).first().waitFor();
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
  // By its address: a poll may have signed out already, and taken the link away.
  await page.goto(`${hub.url}/console#/sends`);
  await page.getByRole('heading', { name: 'Sign in to Hookline' }).waitFor();
  const link = await linkOf();
  const first = await opened();
  await first.goto(link);
  await first.getByRole('heading', { name: 'Overview' }).waitFor();
  const second = await opened();
  await second.goto(link);
  await second.getByText('This link does not sign in any more').waitFor();
});

/** By how much the page or a table of it is wider than its room. */
const OVERFLOW = `Math.max(document.documentElement.scrollWidth - innerWidth,
  ...[...document.querySelectorAll('.table-room, .nav')].map((room) => room.scrollWidth - room.clientWidth))`;

it('shows hostile content as text', async () => {
  const hostile = '<img src=x onerror="document.title=1"><script>document.title=1</script>';
  const long = 'x'.repeat(10_000);
  const from = '+15550166';
  await receive({ id: 'hostile-1', from, name: hostile, text: `${hostile} javascript:alert(1) https://ok.example/a` });
  await receive({ id: 'hostile-2', from, text: long });
  const file = { url: 'javascript:alert(1)', name: `"><img src=x onerror=alert(1)>${'n'.repeat(300)}.pdf` };
  await receive({ id: 'hostile-4', from, title: `${hostile}${'t'.repeat(500)}`, text: '😀'.repeat(40), file });
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
  const isWithin = async () =>
    expect(await page.evaluate('document.documentElement.scrollWidth - innerWidth')).toBeLessThanOrEqual(0);
  await isWithin();
  // And where it is told in a line.
  for (const name of ['overview', 'events', 'inbox', `inbox/${page.url().split('/').at(-1)}?show=contact`]) {
    await page.goto(`${hub.url}/console#/${name}`);
    await settled(page);
    expect(await page.locator('main img, main script').count(), name).toBe(0);
    await isWithin();
  }
  // On a phone the other pages stand in a menu.
  const menu = page.getByRole('button', { name: 'All pages' });
  await menu.click();
  await isWithin();
  await page.getByRole('navigation').getByRole('link', { name: 'Settings', exact: true }).click();
  await page.getByRole('heading', { name: 'Settings' }).waitFor();
  expect(await menu.getAttribute('aria-expanded')).toBe('false');
  // So it is where the page stays the same, or another one of its kind comes.
  await menu.click();
  await page.getByRole('navigation').getByRole('link', { name: 'Settings', exact: true }).click();
  expect(await menu.getAttribute('aria-expanded')).toBe('false');
  await page.goto(`${hub.url}/console#/events`);
  await menu.click();
  await page.evaluate("location.hash = '#/events?kind=message'");
  await page.locator('[aria-label="All pages"][aria-expanded="false"]').waitFor();
});

it('works in one workspace in one tab and in another one in another, and what is opened from a tab stays there', async () => {
  await call('/api/workspaces', { name: 'Branch' });
  const page = await signedIn();
  const where = (tab: Page, name: string) => tab.locator('.where', { hasText: name }).waitFor();
  await page.goto(`${hub.url}/console#/settings`);
  await page.getByLabel('Work in').selectOption('Branch');
  await where(page, 'Branch');
  const link = page.getByRole('navigation').getByRole('link', { name: 'Webhooks' });
  const [other] = await Promise.all([page.context().waitForEvent('page'), link.click({ modifiers: ['Control'] })]);
  await other.getByRole('heading', { name: 'Webhooks' }).waitFor();
  await where(other, 'Branch');
  await page.goBack();
  await where(page, 'main');
  await other.reload();
  await where(other, 'Branch');
  await other.getByText('No webhook yet').waitFor();
});

it('keeps a name without a blank within its page and its column', async () => {
  const name = 'W'.repeat(100);
  const { id } = await call('/api/endpoints', { url: 'https://shop.example/hooks', types: ['call.*'], name });
  const page = await signedIn();
  for (const width of [360, 1024, 1280]) {
    await page.setViewportSize({ width, height: 800 });
    for (const where of ['endpoints', `endpoints/${id}`]) {
      await page.goto(`${hub.url}/console#/${where}`);
      await page.getByText(name).first().waitFor();
      await settled(page);
      const overflow = await page.evaluate<number>(OVERFLOW);
      expect(overflow, `${where} ${width}`).toBeLessThanOrEqual(0);
    }
  }
});

it('opens the call behind a page in the API reference, filled in, and answers it by the session', async () => {
  const page = await signedIn();
  await page.goto(`${hub.url}/console#/sends?state=failed,unknown`);
  await page.getByRole('link', { name: 'The call behind this page:' }).click();
  const form = page.locator('details[open] form').first();
  await form.getByLabel('state').waitFor();
  expect(await form.getByLabel('state').inputValue()).toBe('failed,unknown');
  await form.getByRole('button', { name: 'Send GET' }).click();
  await form.locator('pre', { hasText: /^200/ }).waitFor();
  await page.getByRole('link', { name: 'Console' }).click();
  await page.getByRole('heading', { name: 'Sends' }).waitFor();
  expect(page.url()).toContain('#/sends?state=failed');
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

/** What can be reached by the keyboard and does not show that it is. */
const FOCUS = `(() => {
  const shown = (style) => [style.outlineStyle, style.outlineWidth, style.outlineColor, style.boxShadow, style.borderColor, style.backgroundColor].join();
  const controls = [...document.querySelectorAll('a[href], button, input, select, textarea, summary, [tabindex="0"]')];
  const hidden = [];
  for (const control of controls) {
    if (control.disabled || control.closest('[inert]') || control.getClientRects().length === 0) continue;
    document.activeElement?.blur();
    const before = shown(getComputedStyle(control));
    control.focus();
    if (document.activeElement !== control) continue;
    if (!control.matches(':focus-visible') || shown(getComputedStyle(control)) === before) hidden.push(control.outerHTML.slice(0, 160));
  }
  document.activeElement?.blur();
  return hidden;
})()`;

const AXE = (rules: string) =>
  `axe.run(${rules}).then(({ violations }) => violations.map(({ id, nodes }) => id + ' ' + nodes.map(({ html }) => html.slice(0, 160)).join(' | ')))`;
/** Also what a finger has to find. */
const ALL = "{ rules: { 'target-size': { enabled: true } } }";
/** Colours are all that differs in the dark. */
const CONTRAST = "{ runOnly: ['color-contrast'] }";

async function settled(page: Page): Promise<void> {
  await page.locator('main h1:visible, .contact h2:visible').first().waitFor();
  await page.locator('.loading').first().waitFor({ state: 'detached' });
  await page.waitForLoadState('networkidle');
}

it('every page can be used by everybody, in the light and in the dark, wide and narrow, by keyboard alone', {
  timeout: 180_000,
}, async () => {
  const page = await signedIn({ bypassCSP: true, reducedMotion: 'reduce' });
  const first = (path: string) =>
    page.evaluate<string>(`fetch('/api/${path}').then((r) => r.json()).then(({ items }) => items[0].id)`);
  const lists = ['chats', 'rules', 'webhooks', 'accounts', 'endpoints', 'events'];
  await call('/api/endpoints', { url: 'http://127.0.0.1:9/gone', types: ['message.*'], name: 'CRM' });
  // A row of sends with all that one can hold.
  await call('/api/sends', { phone: '+15550100404', text: 'Your bicycle is ready: it is here until six.' });
  await page.goto(`${hub.url}/console#/sends`);
  await page.getByRole('button', { name: 'Send again' }).waitFor();
  const ids = await Promise.all(lists.map(first));
  const details = ['inbox', ...lists.slice(1)].map((name, i) => `${name}/${ids[i]}`);
  await page.addScriptTag({ content: axe.source });
  for (const name of [...PAGES, ...details]) {
    const isWithin = async (width: number) => {
      await page.setViewportSize({ width, height: 800 });
      const overflow = await page.evaluate<number>(OVERFLOW);
      expect(overflow, `${name} ${width}`).toBeLessThanOrEqual(0);
    };
    const faultsOf = async (width: number, colorScheme: 'light' | 'dark', rules = ALL) => {
      await isWithin(width);
      await page.emulateMedia({ colorScheme });
      expect(await page.evaluate<string[]>(AXE(rules)), `${name} ${colorScheme} ${width}`).toEqual([]);
    };
    await page.setViewportSize({ width: 1280, height: 800 });
    await page.goto(`${hub.url}/console#/${name}`);
    await settled(page);
    const calls = await page.locator('main .call a').evaluateAll((all) => all.map((link) => link.getAttribute('href')));
    if (!name.startsWith('inbox')) expect(calls, name).toEqual([expect.stringContaining('/docs#call=')]);
    // Who uses the keyboard is shown where they are; who clicks is not.
    await page.keyboard.press('Tab');
    expect(await page.evaluate<string[]>(FOCUS), `${name}: focus`).toEqual([]);
    await faultsOf(1280, 'light');
    await faultsOf(1280, 'dark', CONTRAST);
    // 640 is what a screen of 1280 has at a zoom of 200 %.
    for (const width of [2560, 1024, 961, 834, 768, 720, 640, 320]) await isWithin(width);
    await faultsOf(360, 'dark', CONTRAST);
    await faultsOf(360, 'light');
  }
});

/** An account whose queue stands still, and a conversation on it. */
async function heldBack(name: string, from: string) {
  const account = await call('/api/accounts', { provider: 'sandbox', channel: 'whatsapp', name, credentials: {} });
  await call(`/api/accounts/${account.id}/pause`, { reason: 'closed' });
  const { url } = await call('/api/webhooks', { kind: 'receive', provider: 'sandbox', name, accountId: account.id });
  const body = JSON.stringify({ event: 'message', id: name, from, name, text: `Hello from ${name}` });
  const response = await fetch(String(url), { method: 'POST', headers: { 'content-type': 'application/json' }, body });
  expect(response.status).toBe(200);
}

it('sends once what is clicked twice, shows it in another tab, and takes it back', async () => {
  await heldBack('Paula', '+12025550111');
  const page = await signedIn();
  const other = await page.context().newPage();
  for (const tab of [page, other]) {
    await tab.goto(`${hub.url}/console#/inbox`);
    await tab.locator('.chat-list a', { hasText: 'Hello from Paula' }).click();
  }
  await page.getByRole('textbox', { name: 'Answer' }).fill('Only once');
  await page.getByRole('button', { name: 'Send', exact: true }).dblclick();
  const waiting = page.locator('.bubble.ours', { hasText: 'Only once' });
  await waiting.locator('.ticks.queued').waitFor();
  expect(await waiting.count()).toBe(1);
  await other.bringToFront();
  await restless(other);
  const there = other.locator('.bubble.ours', { hasText: 'Only once' });
  await there.locator('.ticks.queued').waitFor();
  await there.getByRole('button', { name: 'Cancel' }).click();
  await there.locator('.ticks.cancelled').waitFor();
  const { items } = await call('/api/sends');
  const ours = v.parse(v.array(v.object({ state: v.string(), parts: v.array(v.unknown()) })), items);
  const twice = ours.filter(({ parts }) => JSON.stringify(parts).includes('Only once'));
  expect(twice.map(({ state }) => state)).toEqual(['cancelled']);
  // Who signs out in one tab is out in the other, once it asks for anything.
  await other.getByRole('button', { name: 'Sign out' }).click();
  await other.getByRole('heading', { name: 'Sign in to Hookline' }).waitFor();
  await page.bringToFront();
  await restless(page);
  await page.getByRole('heading', { name: 'Sign in to Hookline' }).waitFor();
});

it('gives a webhook another URL, and reads again what was not understood', async () => {
  const { id, url } = await call('/api/webhooks', { kind: 'receive', provider: 'sandbox', name: 'Old door' });
  const post = (to: string) =>
    fetch(to, { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"event": "new_kind"}' });
  expect((await post(String(url))).status).toBe(200);
  const page = await signedIn();
  await page.goto(`${hub.url}/console#/webhooks/${id}`);
  await page.getByRole('button', { name: 'New URL' }).click();
  await page.getByRole('dialog').getByText('The URL of Old door stops at once').waitFor();
  await page.getByRole('dialog').getByRole('button', { name: 'New URL' }).click();
  const shown = page.getByText(/\/hooks\/sandbox\/\S+/).first();
  await shown.waitFor();
  const fresh = /http\S+/.exec((await shown.textContent()) ?? '')?.[0] ?? '';
  expect(fresh).not.toBe(url);
  // What came through the old one is no call of the new one.
  await page.getByText('Waiting for the first call').waitFor();
  expect((await post(String(url))).status).toBe(404);
  expect((await post(fresh)).status).toBe(200);
  // Whoever has the URL can post a sample later on, when the page does not know it any more, and sees what came of it.
  await page.reload();
  await page.locator('summary', { hasText: 'Send a sample' }).click();
  await page.getByLabel('Its URL').fill(fresh);
  await page.locator('details[open] form').getByRole('button', { name: 'Send a sample' }).click();
  const called = page.getByRole('table', { name: 'Last calls' }).getByRole('row', { name: /200 stored/ });
  await called.waitFor();
  const csv = page.getByRole('button', { name: 'CSV' });
  const [saved] = await Promise.all([page.waitForEvent('download'), csv.click()]);
  expect(saved.suggestedFilename()).toBe(`${id}-attempts.csv`);
  await called.getByRole('link', { name: 'Event' }).click();
  await page.getByText('"Hello, Hookline!"').first().waitFor();
  await page.goto(`${hub.url}/console#/events?quarantined=true`);
  const row = page.getByRole('row', { name: /new_kind/ }).first();
  await row.getByRole('button', { name: 'Replay all' }).click();
  await page.getByText(/^None is understood yet/).waitFor();
});

it('lets a key that only reads look at everything and change nothing', async () => {
  await heldBack('Rita', '+12025550112');
  const { key } = await call('/api/workspaces/main/keys', { name: 'Dashboard', scope: 'read' });
  const page = await opened();
  await page.goto(`${hub.url}/console`);
  await page.locator('input[name=key]').fill(String(key));
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('heading', { name: 'Overview' }).waitFor();
  const first = (path: string) =>
    page.evaluate<string>(
      `fetch('/api/${path}').then((r) => r.json()).then(({ items }) => items[0]?.id ?? items[0]?.messageId ?? null)`,
    );
  const ids = await Promise.all(['sends', 'rules', 'webhooks', 'accounts'].map(first));
  const details = ['sends', 'rules', 'webhooks', 'accounts'].flatMap((name, i) =>
    ids[i] ? [`${name}/${ids[i]}`] : [],
  );
  const acts = new Set<string>();
  for (const name of [...PAGES.filter((one) => !one.includes('new')), ...details]) {
    await page.goto(`${hub.url}/console#/${name}`);
    await settled(page);
    const shown = page.getByRole('main').locator('button:not(.id, [aria-pressed]), a.button:not(.filters *)');
    for (const act of await shown.allInnerTexts()) acts.add(act.trim());
  }
  // Beside what filters and copies: the audit and downloads, which change nothing.
  expect([...acts].sort()).toEqual(['CSV', 'Count', 'NDJSON']);
  await page.goto(`${hub.url}/console#/inbox`);
  await page.locator('.chat-list a', { hasText: 'Hello from Rita' }).click();
  await page.getByText('This key reads and does not send.').waitFor();
  expect(await page.getByRole('textbox', { name: 'Answer' }).count()).toBe(0);
});

it('says that the table is away, and goes on by itself when it is back', async () => {
  await heldBack('Tara', '+12025550113');
  const page = await signedIn();
  await restless(page);
  await page.goto(`${hub.url}/console#/inbox`);
  await page.locator('.chat-list a', { hasText: 'Hello from Tara' }).waitFor();
  table?.inject({ when: () => true, fault: { kind: 'error' } });
  await page.goto(`${hub.url}/console#/sends`);
  await page.getByRole('alert').first().waitFor();
  table?.clear();
  await page.getByRole('alert').first().waitFor({ state: 'detached' });
  await page.getByRole('heading', { name: 'Sends' }).waitFor();
  // That it was away was told, as it should be.
  complaints.splice(0);
});

it('is on the screen within a second on a slow machine, and nothing jumps', async () => {
  const page = await signedIn();
  const session = await page.context().newCDPSession(page);
  await session.send('Network.setCacheDisabled', { cacheDisabled: true });
  const id = await page.evaluate<string>("fetch('/api/chats').then((r) => r.json()).then(({ items }) => items[0].id)");
  await session.send('Emulation.setCPUThrottlingRate', { rate: 4 });
  for (const [name, shown] of [
    ['overview', '.figures'],
    ['inbox', '.chat-list'],
    ['sends', '.table'],
    [`inbox/${id}`, '.bubble'],
  ] as const) {
    await page.goto('about:blank');
    await page.goto(`${hub.url}/console#/${name}`);
    await page.locator(shown).first().waitFor();
    const paint = await page.evaluate<number>("performance.getEntriesByName('first-contentful-paint')[0].startTime");
    expect(paint, name).toBeLessThan(1_000);
    const jumps = await page.evaluate<string[]>(`new Promise((done) => {
      const all = [];
      new PerformanceObserver((list) => {
        // A time that grows by a letter moves less than a pixel of one line: what rounds to nothing is no jump.
        for (const { value, sources } of list.getEntries()) if (Number(value.toFixed(4)) > 0)
          all.push(value.toFixed(4) + ' ' + sources.map(({ node }) => (node?.outerHTML ?? node?.parentElement?.outerHTML)?.slice(0, 120)).join(' | '));
      }).observe({ type: 'layout-shift', buffered: true });
      setTimeout(done, 300, all);
    })`);
    expect(jumps, name).toEqual([]);
  }
});
