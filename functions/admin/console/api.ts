import { computed, effect, signal } from '@preact/signals';
import createClient from 'openapi-fetch';
import { inWorkspace, namedWorkspace, replace } from './address.ts';
import type { components, paths } from './api-types.d.ts';
import { texts } from './texts.ts';

type BodyOf<Path extends '/api/accounts' | '/api/rules'> =
  paths[Path]['post']['requestBody']['content']['application/json'];
export type NewAccount = BodyOf<'/api/accounts'>;
export type NewRule = BodyOf<'/api/rules'>;

type Schemas = components['schemas'];
export type Account = Schemas['Account'];
export type AccountTest = Schemas['AccountTest'];
export type Attempt = Schemas['Attempt'];
export type Chat = Schemas['Chat'];
export type Content = Schemas['Content'];
export type Delivery = Schemas['Delivery'];
export type Endpoint = Schemas['Endpoint'];
export type Event = Schemas['Event'];
export type LedgerEntry = Schemas['LedgerEntry'];
export type MessageEvent = Schemas['MessageEvent'];
export type Run = Schemas['Run'];
export type RunsOfDay = Schemas['RunsOfDay'];
export type Send = Schemas['Send'];
export type Summary = Schemas['Summary'];
export type Webhook = Schemas['Webhook'];
export type Workspace = Schemas['Workspace'];

export interface Session {
  readonly workspace: string;
  readonly admin: boolean;
  readonly scope: 'all' | 'read' | 'send';
}

/** Undefined while nobody knows, null where nobody is signed in. */
export const session = signal<Session | null | undefined>(undefined);

/** Whether the key that was signed in with may do more than read: what it may not do is not shown. */
export const mayChange = (): boolean => session.value?.scope === 'all';

/** The hub may stand below a path of somebody's own domain. */
export const hubUrl = (): string => location.origin + location.pathname.replace(/\/console\/?$/, '');

/** Which workspace is worked in: the one of the key, unless it is the admin key, which opens all. */
export const workspace = computed(() => {
  const { admin, workspace: own = '' } = session.value ?? {};
  return admin ? (namedWorkspace.value ?? own) : own;
});

/** What is kept beside the pages is nobody's once somebody has signed out, or was. */
export function untilSignedOut<Kept extends { clear(): void }>(kept: Kept): Kept {
  effect(() => {
    if (session.value === null) kept.clear();
  });
  return kept;
}

/** What the hub answered instead of what was asked for, in its own words, which say what to do. */
export class Refusal extends Error {
  readonly status: number;
  /** The id under which the hub's log tells more. */
  readonly line: string | undefined;
  constructor(status: number, message: string, line?: string) {
    super(message);
    this.status = status;
    this.line = line;
  }
}

export const errorOf = (cause: unknown): Error => (cause instanceof Error ? cause : new Error(String(cause)));

export const api = createClient<paths>({
  // Asked for at each call, and not when the page is loaded: tests put their own in its place.
  fetch: (request) => fetch(request),
  baseUrl: hubUrl(),
  credentials: 'same-origin',
});
api.use({
  onRequest({ request }) {
    // What changes something must be JSON, a DELETE as well: another page cannot send that unasked.
    request.headers.set('content-type', 'application/json');
    // What manages workspaces says itself which: in one that is no more, as an old link may name, the others are found.
    const isManaging = request.url.includes('/api/workspaces');
    if (session.value?.admin && !isManaging) request.headers.set('x-workspace', workspace.value);
    return request;
  },
});

/** What was answered last, by its address: what is still the same is neither sent again nor drawn. */
const answered = untilSignedOut(new Map<string, { readonly etag: string; readonly text: string }>());
const MOST_ANSWERS = 100;
const placeOf = ({ url, headers }: Request) => `${headers.get('x-workspace') ?? ''} ${url}`;

api.use({
  onRequest({ request }) {
    const last = request.method === 'GET' ? answered.get(placeOf(request)) : undefined;
    if (last) request.headers.set('if-none-match', last.etag);
    return request;
  },
  async onResponse({ request, response }) {
    const place = placeOf(request);
    const last = answered.get(place);
    const headers = { 'content-type': 'application/json' };
    if (response.status === 304 && last) return new Response(last.text, { headers });
    const etag = response.headers.get('etag');
    if (etag === null || response.status !== 200) return undefined;
    const text = await response.text();
    if (answered.size >= MOST_ANSWERS) answered.clear();
    answered.set(place, { etag, text });
    return new Response(text, { headers });
  },
});

export type TypeInQuarantine =
  paths['/api/events/quarantine']['get']['responses'][200]['content']['application/json']['items'][number];
export type Muted = paths['/api/rules/muted']['get']['responses'][200]['content']['application/json']['items'][number];
export type Kind = paths['/api/changes']['get']['responses'][200]['content']['application/json']['changed'][number];

const KINDS: readonly Kind[] = ['events', 'chats', 'sends', 'accounts'];
/** How often something of each kind has changed while this page is open. */
const versions = new Map<Kind, number>();
let mark: { readonly of: string | undefined; readonly after: string } | undefined;
let looking: { readonly at: number; readonly done: Promise<void> } | undefined;
/** What several lists on a page ask for at once is asked once. */
const TOGETHER_MS = 1_000;

async function look(): Promise<void> {
  const of = workspace.value;
  const after = mark?.of === of ? mark?.after : undefined;
  const query = { ...(after && { after }) };
  const { data, response } = await api.GET('/api/changes', { params: { query } });
  if (data) mark = { of, after: data.mark };
  // Without an answer all may have changed: whoever asks for it then learns what is wrong, and says so.
  raise(data?.changed ?? (response.ok ? [] : KINDS));
}

function raise(kinds: readonly Kind[]): void {
  for (const kind of kinds) versions.set(kind, versionOf([kind]) + 1);
}

/** Asks whether something has changed. */
export async function lookForChanges(): Promise<void> {
  if (!looking || Date.now() - looking.at > TOGETHER_MS) {
    looking = { at: Date.now(), done: look().catch(() => raise(KINDS)) };
  }
  await looking.done;
}

/** Another number each time that something of these has changed. */
export const versionOf = (kinds: readonly Kind[]): number =>
  kinds.reduce((sum, kind) => sum + (versions.get(kind) ?? 0), 0);

interface Answered<Data> {
  readonly data?: Data;
  readonly error?: unknown;
  readonly response: Response;
}

/** What was asked for; throws a Refusal. A session that has ended leads to signing in. */
export async function asked<Data>(call: Promise<Answered<Data>>): Promise<NonNullable<Data>> {
  const { data, response } = await taken(call);
  if (data !== undefined && data !== null) return data;
  throw new Refusal(response.status, texts.refused(response.status));
}

/** The same of what answers with nothing. */
export async function done(call: Promise<Answered<unknown>>): Promise<void> {
  await taken(call);
}

async function taken<Data>(call: Promise<Answered<Data>>): Promise<Answered<Data>> {
  const answer = await call.catch((cause: unknown) => {
    throw new Refusal(0, cause instanceof TypeError ? texts.away : String(cause));
  });
  if (answer.response.ok) return answer;
  throw refusalOf(answer.response, answer.error);
}

/** What is wrong with a request the answer says itself; of a fault of the hub it says where its log tells more. */
function refusalOf({ status, headers }: Response, error: unknown): Refusal {
  if (status === 401 && session.value) session.value = null;
  const message = messageIn(error) ?? texts.refused(status);
  const line = headers.get('apigw-requestid');
  return status < 500 || line === null ? new Refusal(status, message) : new Refusal(status, texts.fault(message), line);
}

function messageIn(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('message' in error)) return undefined;
  return typeof error.message === 'string' ? error.message : undefined;
}

/** All that one may choose from. */
export const allAccounts = async (): Promise<readonly Account[]> =>
  (await asked(api.GET('/api/accounts', { params: { query: { limit: 200 } } }))).items;

/** Through which the hub answers: a chat that came through a URL of no account belongs to the only one of its provider. */
export function accountOf(
  { accountId, provider }: Pick<Chat, 'accountId' | 'provider'>,
  accounts: readonly Account[],
): Account | undefined {
  if (accountId !== undefined) return accounts.find(({ id }) => id === accountId);
  const [only, another] = accounts.filter((one) => one.provider === provider);
  return another ? undefined : only;
}

/**
 * Goes on until all is done, where one call does what fits into its time and the next begins where that one has ended.
 * What each has answered; `told` so far, while there is more to do.
 */
export async function inParts<Answer extends { readonly cursor?: string }>(
  call: (from: { readonly cursor?: string }) => Promise<Answer>,
  told: (answers: readonly Answer[]) => void = () => undefined,
): Promise<readonly Answer[]> {
  const answers = [await call({})];
  for (let last = answers.at(-1); last?.cursor !== undefined; last = answers.at(-1)) {
    told(answers);
    answers.push(await call({ cursor: last.cursor }));
  }
  return answers;
}

/** Who is signed in, from the cookie. */
export async function findSession(): Promise<void> {
  session.value = await asked(api.GET('/api/session')).catch((error: unknown) => {
    if (error instanceof Refusal && error.status === 401) return null;
    throw error;
  });
}

export async function signIn(key: string, named?: string): Promise<void> {
  const found = await asked(api.POST('/api/session', { body: { key, ...(named && { workspace: named }) } }));
  if (named) replace(inWorkspace());
  if (found.scope === 'send') {
    await done(api.DELETE('/api/session'));
    throw new Refusal(403, texts.signIn.onlySends);
  }
  session.value = found;
}

export async function signOut(): Promise<void> {
  await done(api.DELETE('/api/session'));
  session.value = null;
}
