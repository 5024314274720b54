import type { Event } from '#lib/domain/event.ts';
import type { Secrets } from '#lib/domain/ports.ts';
import { afterFailure, afterSuccess, type CallResult, type Health, moreWaits } from '#lib/domain/reaction/delivery.ts';
import type { NoticeType } from '#lib/domain/reaction/notice.ts';
import { known } from '#lib/domain/schema.ts';
import { cursorBefore } from '#lib/inbox/feed.ts';
import type { ProviderHttp } from '#lib/sender/provider.ts';
import { type BreakerPorts, takePlace, turnHealth } from './breaker.ts';
import type { BudgetPorts } from './budget.ts';
import { type Called, call, endpointSecret, readSecret } from './call.ts';
import type { Endpoint } from './endpoint.ts';
import type { Callee } from './health.ts';
import type { Lane } from './lane.ts';
import type { Mailer } from './mail.ts';

const LARGEST_BODY = 256 * 1024;

export interface TargetPorts extends BreakerPorts, BudgetPorts {
  readonly http: ProviderHttp;
  readonly secrets: Secrets;
  readonly mailer: Mailer;
  /** The address that rules send e-mail from; undefined where this hub sends none. */
  readonly mailFrom: string | undefined;
}

/** What is delivered, and the how manieth time. */
export interface Attempt {
  readonly event: Event;
  /** ISO 8601. */
  readonly storedAt: string;
  readonly type: NoticeType;
  /** Told again with other content: the first letters of its hash. */
  readonly content?: string;
  readonly number: number;
}

/** One kind of delivery: what it calls, by which secret, and what the outcome means to whoever is called. */
export interface Target {
  /** Whether it may be called now. Else what comes waits in the table, and `waits` has it brought back. */
  readonly mayCall: () => Promise<boolean>;
  readonly waits: () => Promise<void>;
  /** `why`: it can never be done. */
  readonly call: (attempt: Attempt) => Promise<Called | { readonly why: string }>;
  readonly succeeded: () => Promise<void>;
  /** Answers whether the delivery goes on by its schedule; else it waits until the target is well. */
  readonly failed: (result: CallResult, isProbe: boolean) => Promise<boolean>;
}

/** An endpoint is told of an event. Its failures count against all that is for it. */
export function endpointTarget(ports: TargetPorts, lane: Lane, endpoint: Endpoint): Target {
  const { mayGoOn, ...others } = spared(ports, lane, endpoint, endpoint.timeoutMs, afterFailure);
  return {
    ...others,
    failed: (...given) => others.failed(...given).finally(lane.forget),
    call: async ({ event, storedAt, type, content, number }) => {
      const secret = await readSecret(ports.secrets, endpointSecret(endpoint.id), endpoint.secretVersion);
      const id = content === undefined ? event.id : `${event.id}_${content}`;
      const body = bodyOf(endpoint, type, event, storedAt);
      return call(ports, endpoint, secret, { id, body, attempt: number, mayGoOn });
    },
  };
}

/**
 * Whoever is called over the network is spared while it fails, and called by few batches at a time while it is slow; `worse`:
 * what a failure makes of how it is.
 */
export function spared(
  ports: BreakerPorts,
  lane: Lane,
  callee: Callee,
  callMs: number,
  worse: (health: Health, result: CallResult, now: number, isProbe: boolean) => Health,
): Omit<Target, 'call'> & { readonly mayGoOn: () => Promise<boolean> } {
  return {
    mayCall: async () =>
      callee.state === 'active' && (await lane.mayCall(callee, callMs)) && (await takePlace(ports, callee)),
    mayGoOn: () => lane.mayGoOn(callee, callMs),
    waits: async () => {
      await turnHealth(ports, callee, moreWaits);
    },
    succeeded: async () => {
      if (callee.failures === 0 && callee.state !== 'failing') return;
      await turnHealth(ports, callee, afterSuccess);
    },
    failed: async (result, isProbe) => {
      const { state } = await turnHealth(ports, callee, (health, now) => worse(health, result, now, isProbe));
      return state === 'active';
    },
  };
}

/** What an endpoint is told. Too large, or not wanted whole, it is ids alone: the API has the rest. */
export function bodyOf(
  { payload }: Pick<Endpoint, 'payload'>,
  type: string,
  event: Event,
  storedAt: string = event.receivedAt,
): string {
  const told = { type, timestamp: event.receivedAt, cursor: cursorBefore(storedAt) };
  const whole = withoutThumbnails({ ...told, data: event });
  return payload === 'full' && fits(whole) ? whole : JSON.stringify({ ...told, data: idsOf(event) });
}

/** The event by itself, under the same bound. */
export function bareEvent(event: Event): string {
  const whole = withoutThumbnails(event);
  return fits(whole) ? whole : JSON.stringify(idsOf(event));
}

export const fits = (body: string): boolean => Buffer.byteLength(body) <= LARGEST_BODY;

const withoutThumbnails = (value: object): string =>
  JSON.stringify(value, (key, inner) => (key === 'thumbnail' ? undefined : inner));

function idsOf(event: Event) {
  const { id, kind, workspace, provider, accountId, occurredAt, receivedAt } = event;
  const chatId = 'chatId' in event ? event.chatId : undefined;
  const ids = known({ id, kind, workspace, provider, accountId, chatId, occurredAt, receivedAt });
  return { ...ids, truncated: true };
}
