import { setTimeout as sleep } from 'node:timers/promises';
import * as v from 'valibot';
import { createAccount, createSendWebhook, type HubApi } from '../hub-api.ts';
import type { GreenApiProcess } from '../providers/green-api-process.ts';

/** Accounts at one GREEN-API server, and the path to which messages for them are posted. */
export interface Fleet {
  readonly path: string;
  readonly accounts: readonly FleetAccount[];
}
export interface FleetAccount {
  readonly id: string;
  readonly instance: string;
}

/** A hub as a caller knows it: it may move when it is started anew. */
interface Reachable {
  api(): Promise<HubApi>;
}

export interface Accepted {
  /** What the message says; no other one says the same. */
  readonly text: string;
  readonly account: FleetAccount;
  readonly messageId: string;
  /** Milliseconds since the epoch. */
  readonly answeredAt: number;
}

export async function connectFleet(
  api: HubApi,
  server: GreenApiProcess,
  size: number,
  pacing?: { readonly minMs: number; readonly maxMs: number },
): Promise<Fleet> {
  const accounts: FleetAccount[] = [];
  for (let number = 0; number < size; number += 1) {
    const instance = String(7_999_000_000 + number);
    const credentials = server.credentials(instance);
    const account = { provider: 'green-api', channel: 'whatsapp', credentials, ...(pacing && { pacing }) };
    accounts.push({ id: await createAccount(api, account), instance });
  }
  return { path: await createSendWebhook(api), accounts };
}

/** Posts for all accounts at once, and for each of them one after the other: that is the order they must be sent in. */
export async function postAll(
  hub: Reachable,
  { path, accounts }: Fleet,
  each: number,
  label: string,
): Promise<Accepted[]> {
  const accepted = await Promise.all(
    accounts.map(async (account) => {
      const turn: Accepted[] = [];
      for (let number = 0; number < each; number += 1) {
        const text = `${label} ${account.instance} ${String(number).padStart(3, '0')}`;
        const messageId = await postUntilAnswered(hub, path, account, text);
        turn.push({ text, account, messageId, answeredAt: performance.timeOrigin + performance.now() });
      }
      return turn;
    }),
  );
  return accepted.flat();
}

/** How long one message is posted again and again before the run counts as failed, milliseconds. */
const timeout = 30_000;
const Answer = v.object({ data: v.object({ message_id: v.string() }) });

/** Whoever got no answer posts again under the same key, as a careful caller does. */
async function postUntilAnswered(hub: Reachable, path: string, account: FleetAccount, text: string): Promise<string> {
  const body = JSON.stringify({ action: 'send', account_id: account.id, phone: '+14151231234', text });
  const headers = { 'content-type': 'application/json', 'idempotency-key': text };
  for (const giveUpAt = performance.now() + timeout; performance.now() < giveUpAt; await sleep(20)) {
    const { url } = await hub.api();
    const answer = await post(`${url}${path}`, headers, body);
    if (answer?.status === 200) return v.parse(Answer, JSON.parse(answer.text)).data.message_id;
    if (answer && answer.status < 500) throw new Error(`a message was answered ${answer.status} ${answer.text}`);
  }
  throw new Error(`no answer to a message within ${timeout} ms`);
}

/** Nothing where no whole answer came. */
async function post(url: string, headers: Readonly<Record<string, string>>, body: string) {
  try {
    const response = await fetch(url, { method: 'POST', headers, body });
    return { status: response.status, text: await response.text() };
  } catch {
    return undefined;
  }
}
