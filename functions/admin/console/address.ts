import { signal } from '@preact/signals';

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
export function decoded(text: string): string {
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

export function addressOf(page: string, id?: string, query: Readonly<Record<string, string | undefined>> = {}): string {
  const given = Object.entries(query).flatMap(([name, value]) => (value ? [[name, value]] : []));
  const path = [page, ...(id === undefined ? [] : [encodeURIComponent(id)])].join('/');
  return `#/${path}${given.length > 0 ? `?${new URLSearchParams(given)}` : ''}`;
}

export function go(to: string): void {
  location.hash = to;
}

/** The same without a step of its own to go back to: for what is being typed. */
export function replace(to: string): void {
  history.replaceState(null, '', to);
  address.value = read();
}
