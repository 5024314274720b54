import { startChromium } from '#infra/screenshots/chromium.ts';
import { dynamoDbClient } from '#lib/aws/clients.ts';
import { dynamoStore } from '#lib/aws/dynamo-store.ts';
import { CHATS_FILL } from '#lib/chats/list.ts';
import { fillKey } from '#lib/store/keys.ts';
import { put } from '#lib/store/store.ts';
import { settingsFor } from '#test/support/aws-wire.ts';
import { largeTable } from '#test/support/large-table.ts';
import { atMost, type Figure } from './figure.ts';
import { type Engine, type Stack, startStack } from './stack.ts';
import { median } from './statistics.ts';

const CHATS = 10_000;
const MESSAGES = 50_000;
const TURNS = 15;
/** So far apart, all chats were active within one minute: no list is more crowded. */
const APART_MS = 5;
const aim = atMost('value', 300);

/** The first pages of the console over HTTP, where there are many chats, and a long one. */
export async function console(): Promise<readonly Figure[]> {
  await using stack = await startStack();
  const [chat = ''] = await fill(stack.engine);
  await stillness(stack);
  const pages: Readonly<Record<string, string>> = {
    'the list of chats': '/api/chats',
    '… its second page': `/api/chats?cursor=${await cursorOf(stack, '/api/chats')}`,
    '… the unread ones': '/api/chats?unread=true',
    'the messages of the long chat': `/api/events?chat=${chat}`,
    '… the page before': `/api/events?chat=${chat}&cursor=${await cursorOf(stack, `/api/events?chat=${chat}`)}`,
    '… a search in which nobody is found': '/api/chats?q=nobody',
    '… one that every chat fits': '/api/chats?q=cha',
    'the last events': '/api/events?limit=10',
  };
  const figures: Figure[] = [];
  for (const [name, path] of Object.entries(pages)) {
    const took: number[] = [];
    for (let turn = 0; turn < TURNS; turn++) took.push(await timed(stack, path));
    figures.push({ name, value: median(took), unit: 'ms', aim });
    figures.push({ name: `${name}, the slowest of ${TURNS}`, value: Math.max(...took), unit: 'ms', aim });
  }
  return [...figures, ...(await drawn(stack, chat))];
}

/** The same in a browser, from the click to the first that is seen, with the page's script where it is not loaded yet. */
async function drawn({ hub }: Stack, chat: string): Promise<readonly Figure[]> {
  const browser = await startChromium();
  try {
    const page = await browser.newPage();
    await page.goto(`${hub.url}/console`);
    await page.locator('input[name=key]').fill(hub.adminKey);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('heading', { name: 'Overview' }).waitFor();
    const shown = (hash: string, selector: string) =>
      page.evaluate<number>(`new Promise((done) => {
        const since = performance.now();
        const look = () =>
          document.querySelector('${selector}') ? done(performance.now() - since) : requestAnimationFrame(look);
        location.hash = '${hash}';
        requestAnimationFrame(look);
      })`);
    return [
      {
        name: 'in Chromium: the inbox is opened first',
        value: await shown('#/inbox', '.chat-list a'),
        unit: 'ms',
        aim,
      },
      { name: '… the long chat', value: await shown(`#/inbox/${chat}`, '.bubble'), unit: 'ms', aim },
    ];
  } finally {
    await browser.close();
  }
}

/** Written straight to the table, newest chat first. */
async function fill({ endpoint, table }: Engine): Promise<readonly string[]> {
  const { items, chats } = await largeTable(CHATS, MESSAGES, APART_MS);
  const store = dynamoStore(dynamoDbClient(settingsFor(endpoint)), table);
  await store.writeMany(items.map((item) => put(item)));
  await store.write(put({ ...fillKey(CHATS_FILL.name), workspace: '', done: true }));
  return chats;
}

/** The hub reads what was written from the table's stream, and counts it: until it has nothing to do any more. */
async function stillness(stack: Stack): Promise<void> {
  for (let mark = ''; ; ) {
    const text = await get(stack, '/api/changes');
    if (text === mark) return;
    mark = text;
    await new Promise((done) => setTimeout(done, 3_000));
  }
}

async function cursorOf(stack: Stack, path: string): Promise<string> {
  const text = await get(stack, path);
  const [, cursor] = /"cursor":"([^"]+)"/.exec(text) ?? [];
  if (cursor === undefined) throw new Error(`${path} has one page`);
  return cursor;
}

async function timed(stack: Stack, path: string): Promise<number> {
  const since = performance.now();
  await get(stack, path);
  return performance.now() - since;
}

async function get({ hub }: Stack, path: string) {
  const response = await fetch(`${hub.url}${path}`, { headers: { authorization: `Bearer ${hub.adminKey}` } });
  const text = await response.text();
  if (!response.ok) throw new Error(`${path} was answered ${response.status} ${text}`);
  return text;
}
