import * as v from 'valibot';

/** The management API of a running hub, as far as tests from outside need it. */
export interface HubApi {
  readonly url: string;
  readonly adminKey: string;
}

/** Creates a webhook and returns the path that its provider posts to: the address of a hub may change, the path not. */
export async function createWebhook(api: HubApi, provider: string): Promise<string> {
  const response = await fetch(`${api.url}/api/webhooks`, {
    method: 'POST',
    headers: { ...authorization(api), 'content-type': 'application/json' },
    body: JSON.stringify({ kind: 'receive', provider }),
  });
  if (response.status !== 201) throw new Error(`POST /api/webhooks answered ${response.status}`);
  return new URL(v.parse(Created, await response.json()).url).pathname;
}

/** Every event of the hub, page by page; a page that comes twice throws rather than going round for ever. */
export async function* allEvents(api: HubApi): AsyncGenerator<StoredEvent> {
  const seen = new Set<string>();
  for (let cursor: string | undefined = ''; cursor !== undefined; ) {
    if (seen.has(cursor)) throw new Error('GET /api/events goes round in circles');
    seen.add(cursor);
    const query = new URLSearchParams({ limit: '200', ...(cursor && { cursor }) });
    const response = await fetch(`${api.url}/api/events?${query}`, { headers: authorization(api) });
    if (response.status !== 200) throw new Error(`GET /api/events answered ${response.status}`);
    const page: v.InferOutput<typeof Page> = v.parse(Page, await response.json());
    yield* page.items;
    cursor = page.cursor;
  }
}

const Created = v.object({ url: v.string() });
const StoredEvent = v.object({ id: v.string(), message: v.optional(v.object({ id: v.string() })) });
type StoredEvent = v.InferOutput<typeof StoredEvent>;
const Page = v.object({ items: v.array(StoredEvent), cursor: v.optional(v.string()) });

function authorization({ adminKey }: HubApi) {
  return { authorization: `Bearer ${adminKey}` };
}
