import * as v from 'valibot';

/** The management API of a running hub, as far as tests from outside need it. */
export interface HubApi {
  readonly url: string;
  readonly adminKey: string;
}

/** Creates a webhook and returns the path that its provider posts to: the address of a hub may change, the path not. */
export async function createWebhook(api: HubApi, provider: string): Promise<string> {
  return pathOf(await ask(api, '/api/webhooks', { kind: 'receive', provider }));
}

/** As `createWebhook`, for messages that are to be sent. */
export async function createSendWebhook(api: HubApi): Promise<string> {
  return pathOf(await ask(api, '/api/webhooks', { kind: 'send' }));
}

const WithUrl = v.object({ url: v.string() });
const pathOf = (created: unknown) => new URL(v.parse(WithUrl, created).url).pathname;

/** Creates an account and returns its id. */
export async function createAccount(api: HubApi, account: object): Promise<string> {
  return v.parse(v.object({ id: v.string() }), await ask(api, '/api/accounts', account)).id;
}

const StoredEvent = v.object({ id: v.string(), message: v.optional(v.object({ id: v.string() })) });
const StoredSend = v.object({ messageId: v.string(), state: v.string() });
const StoredAccount = v.object({ id: v.string(), pending: v.number(), nextSendAt: v.optional(v.string()) });

export const allEvents = (api: HubApi) => all(api, '/api/events', StoredEvent);
export const allSends = (api: HubApi) => all(api, '/api/sends', StoredSend);
export const allAccounts = (api: HubApi) => all(api, '/api/accounts', StoredAccount);

const Audit = v.object({ ok: v.boolean(), differences: v.array(v.unknown()) });

/** Whether the credits add up, and where they do not. */
export async function audit(api: HubApi): Promise<v.InferOutput<typeof Audit>> {
  return v.parse(Audit, await ask(api, '/api/credits/audit'));
}

/** Every item of a list, page by page; a page that comes twice throws rather than going round for ever. */
async function* all<Item>(
  api: HubApi,
  path: string,
  item: v.GenericSchema<unknown, Item>,
): AsyncGenerator<Item, void, undefined> {
  const Page = v.object({ items: v.array(item), cursor: v.optional(v.string()) });
  const seen = new Set<string>();
  for (let cursor: string | undefined = ''; cursor !== undefined; ) {
    if (seen.has(cursor)) throw new Error(`GET ${path} goes round in circles`);
    seen.add(cursor);
    const query = new URLSearchParams({ limit: '200', ...(cursor && { cursor }) });
    const page: v.InferOutput<typeof Page> = v.parse(Page, await ask(api, `${path}?${query}`));
    yield* page.items;
    cursor = page.cursor;
  }
}

/** Gets, or posts where there is a body; throws unless the hub agrees. */
export async function ask({ url, adminKey }: HubApi, path: string, body?: object): Promise<unknown> {
  const response = await fetch(`${url}${path}`, {
    headers: { authorization: `Bearer ${adminKey}`, 'content-type': 'application/json' },
    ...(body && { method: 'POST', body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${path} answered ${response.status}: ${text}`);
  return JSON.parse(text);
}
