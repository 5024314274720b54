import * as v from 'valibot';
import { Recipe, ruleOf } from '#lib/reactions/recipes.ts';
import type { RunningHub } from './hub.ts';
import { INSTANCE, RENTALS, SECRET, SHOP } from './morning.ts';

const Named = v.object({ id: v.string(), name: v.optional(v.string()), url: v.optional(v.string()) });
const Page = v.object({ items: v.array(Named), cursor: v.optional(v.string()) });
const Made = v.object({ id: v.string() });
const WithUrl = v.object({ id: v.string(), url: v.string() });

/** What the morning is played into: made the first time, and found again by its names from then on. */
export interface Stage {
  readonly hub: RunningHub;
  readonly frontDesk: string;
  readonly sms: string;
  /** By provider: where its deliveries are posted. */
  readonly hooks: ReadonlyMap<string, string>;
  readonly sendUrl: string;
}

const WORKSPACE = 'demo';

/** All pages of a list; `items` as far as they are told apart by name. */
async function all(hub: RunningHub, path: string): Promise<v.InferOutput<typeof Named>[]> {
  const first = v.parse(Page, await hub.api(path));
  const items = [...first.items];
  for (let { cursor } = first; cursor !== undefined; ) {
    const page = v.parse(Page, await hub.api(`${path}?cursor=${encodeURIComponent(cursor)}`));
    items.push(...page.items);
    cursor = page.cursor;
  }
  return items;
}

/** The one of that name, made where there is none. */
async function named<Body extends { readonly name: string }>(
  hub: RunningHub,
  path: string,
  body: Body,
): Promise<string> {
  const found = (await all(hub, path)).find(({ name }) => name === body.name);
  return found?.id ?? v.parse(Made, await hub.api(path, body)).id;
}

/** A webhook's URL is shown once: one that is there already gets a new one. */
async function webhook<Body extends { readonly name: string }>(hub: RunningHub, body: Body): Promise<string> {
  const found = (await all(hub, '/api/webhooks')).find(({ name }) => name === body.name);
  const path = found ? `/api/webhooks/${found.id}/rotate` : '/api/webhooks';
  return v.parse(WithUrl, await hub.api(path, found ? {} : body)).url;
}

/** `listener`: where the demonstration's own program listens. */
export async function stage(main: RunningHub, listener: string): Promise<Stage> {
  const id = await named(main, '/api/workspaces', { name: WORKSPACE });
  const hub = main.within(id);
  const { frontDesk, sms, rentals } = await accounts(hub);
  await hub.api(`/api/workspaces/${id}`, { defaultAccountId: frontDesk }, 'PATCH');
  const receive = (provider: string, name: string, rest: object = {}) =>
    webhook(hub, { kind: 'receive', provider, name, ...rest });
  const hooks = new Map([
    ['sandbox', await receive('sandbox', 'Front desk', { accountId: frontDesk })],
    ['green-api', await receive('green-api', 'Rentals', { accountId: rentals, secret: SECRET })],
    ['timelinesai', await receive('timelinesai', 'Parts and suppliers')],
    ['cooby', await receive('cooby', 'Lee’s phone')],
    ['zender', await receive('zender', 'Workshop phone', { secret: SECRET })],
  ]);
  const sendUrl = await webhook(hub, { kind: 'send', name: 'Booking system', accountId: frontDesk });
  await endpoints(hub, listener);
  await rules(hub);
  await credits(hub);
  return { hub, frontDesk, sms, hooks, sendUrl };
}

async function accounts(hub: RunningHub) {
  const sandbox = { provider: 'sandbox', credentials: {} };
  // Nobody has this host: the account is one that its provider has logged out, and stays so.
  const credentials = { apiUrl: 'https://green-api.example', idInstance: INSTANCE, apiTokenInstance: 'made-up' };
  const loggedOut = { provider: 'green-api', channel: 'whatsapp', phone: `+${RENTALS.phone}`, credentials };
  const rentals = await named(hub, '/api/accounts', { name: 'Rentals', ...loggedOut });
  const sms = await named(hub, '/api/accounts', { name: 'Text messages', channel: 'sms', ...sandbox });
  const desk = { channel: 'whatsapp', phone: `+${SHOP.phone}`, ...sandbox };
  const frontDesk = await named(hub, '/api/accounts', { name: 'Front desk', ...desk });
  return { rentals, sms, frontDesk };
}

/** One that takes everything, and one whose program is broken. Both listen only while the demonstration runs. */
async function endpoints(hub: RunningHub, listener: string): Promise<void> {
  const wanted = [
    { name: 'Booking system', url: `${listener}/bookings`, types: ['message.received'] },
    { name: 'Old accounting', url: `${listener}/broken`, types: ['message.received', 'call.*'] },
  ];
  const found = await all(hub, '/api/endpoints');
  for (const endpoint of wanted) {
    const id = found.find(({ name }) => name === endpoint.name)?.id;
    if (id === undefined) await hub.api('/api/endpoints', endpoint);
    else await hub.api(`/api/endpoints/${id}`, { url: endpoint.url }, 'PATCH');
  }
}

async function rules(hub: RunningHub): Promise<void> {
  for (const { name, words, text } of RULES) {
    const when = { field: 'text', words };
    // More than one answer, so that a machine shows as what it is.
    const guard = { perContact: { max: 3, seconds: 600 } };
    await named(hub, '/api/rules', { name, on: ['message.received'], when, do: [{ action: 'reply', text }], guard });
  }
  // Switched off, their empty places filled in by the examples.
  const { items } = v.parse(v.object({ items: v.array(Recipe) }), await hub.api('/api/rules/recipes'));
  for (const recipe of items) await named(hub, '/api/rules', { ...ruleOf(recipe), name: String(recipe.rule.name) });
}

const RULES = [
  {
    name: 'Opening hours',
    words: ['open', 'closed', 'hours'],
    text: 'We are open Monday to Saturday, from nine to six.',
  },
  {
    name: 'Price list',
    words: ['price', 'prices', 'cost'],
    text: "Hi {{ sender.name | default: 'there' }}, our prices: https://bikes.example/prices",
  },
];

/** Topped up where little is left, so that it can be played again. */
async function credits(hub: RunningHub): Promise<void> {
  const Credits = v.object({ granted: v.number(), available: v.number() });
  const { granted, available } = v.parse(Credits, await hub.api('/api/credits'));
  if (granted === 0) {
    await hub.api('/api/credits/grants', { credits: 250, reason: 'Bought in January' });
    await hub.api('/api/credits/grants', { credits: -50, reason: 'Booked twice by mistake' });
  } else if (available < 50) {
    await hub.api('/api/credits/grants', { credits: 200, reason: 'Bought once more' });
  }
}
