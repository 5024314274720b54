import { AsyncLocalStorage } from 'node:async_hooks';

type Fields = Readonly<Record<string, string>>;
const current = new AsyncLocalStorage<Fields>();

/** On every log line and metric that `work` writes stand these ids, by which the lines about one thing are found. */
export function correlated<Result>(ids: Fields, work: () => Promise<Result>): Promise<Result> {
  return current.run({ ...current.getStore(), ...ids }, work);
}

export const correlation = (): Fields => current.getStore() ?? {};
