import { computed, signal } from '@preact/signals';

/** Which page is open, behind the `#` of the address, so that every page has one and back works: `#/inbox/chat_1?x=y`. */
export interface Address {
  readonly page: string;
  readonly id?: string;
  readonly query: URLSearchParams;
}

function read(): Address {
  const [path = '', query = ''] = location.hash.replace(/^#\/?/, '').split('?');
  const [page = '', id] = path.split('/').map(decoded);
  return { page: page || 'overview', ...(id && { id }), query: new URLSearchParams(query) };
}

/** What is not encoded rightly stays as it is written. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

export const address = signal(read());
addEventListener('hashchange', () => {
  address.value = read();
});

/** The workspace that the address names: each tab may be in another, and what is opened from it stays there. */
export const namedWorkspace = computed(() => address.value.query.get('workspace') ?? undefined);

/** What of `names` the address says: so a filtered list can be passed on, and back leads to it. */
export const filterIn = <Name extends string>(names: readonly Name[]): Readonly<Partial<Record<Name, string>>> =>
  Object.fromEntries(names.map((name) => [name, address.value.query.get(name)]).filter(([, value]) => value));

type Query = Readonly<Record<string, string | undefined>>;

export function addressOf(page: string, id?: string, query: Query = {}): string {
  const all = { ...query, workspace: query.workspace ?? namedWorkspace.value };
  const given = Object.entries(all).flatMap(([name, value]) => (value ? [[name, value]] : []));
  const path = [page, ...(id === undefined ? [] : [encodeURIComponent(id)])].join('/');
  return `#/${path}${given.length > 0 ? `?${new URLSearchParams(given)}` : ''}`;
}

/** The list or page that is open, in a workspace; left out: in the one of the key. */
export const inWorkspace = (id = ''): string => addressOf(address.value.page, undefined, { workspace: id });

export function go(to: string): void {
  location.hash = to;
}

/** The same without a step of its own to go back to: for what is being typed. */
export function replace(to: string): void {
  history.replaceState(null, '', to);
  address.value = read();
}
