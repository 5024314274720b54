import { setTimeout as sleep } from 'node:timers/promises';
import type { Hub } from '#infra/local/hub.ts';

/** A hub's API, for tests that go through HTTP. */
export function hubClient(hub: Hub) {
  /** The JSON answered; throws where the answer is an error. */
  const api = async (method: string, path: string, body?: object) => {
    const response = await fetch(`${hub.url}${path}`, {
      method,
      headers: { authorization: `Bearer ${hub.adminKey}`, 'content-type': 'application/json' },
      ...(body && { body: JSON.stringify(body) }),
    });
    const answer = JSON.parse(await response.text());
    if (!response.ok) throw new Error(`${method} ${path}: ${JSON.stringify(answer)}`);
    return answer;
  };
  /** Asks until the answer is so, for ten seconds. */
  const until = async (path: string, isSo: (answer: { state?: string; held?: boolean }) => boolean) => {
    for (let tries = 0; tries < 100; tries += 1) {
      const answer = await api('GET', path);
      if (isSo(answer)) return answer;
      await sleep(100);
    }
    throw new Error(`${path} never came to that: ${JSON.stringify(await api('GET', path))}`);
  };
  return { api, until };
}

/** Posts JSON, as a provider or a caller would. */
export async function postJson(url: string, body: string | object, headers: Readonly<Record<string, string>> = {}) {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  return { status: response.status, headers: response.headers, body: await response.text() };
}
