import type { Event } from '#lib/domain/event.ts';
import type { Secrets } from '#lib/domain/ports.ts';
import type { Told } from '#lib/domain/reaction/condition.ts';
import {
  afterCall,
  type CallResult,
  type Health,
  isSlow,
  isSuccess,
  moreWaits,
  SLOW_AFTER_MS,
  slowed,
} from '#lib/domain/reaction/delivery.ts';
import type { NoticeType } from '#lib/domain/reaction/notice.ts';
import type { Action } from '#lib/domain/reaction/rule.ts';
import { known } from '#lib/domain/schema.ts';
import { rawOfEvent } from '#lib/inbox/events.ts';
import { cursorBefore } from '#lib/inbox/feed.ts';
import type { ProviderHttp } from '#lib/sender/provider.ts';
import { isRuleId, ruleKey } from '#lib/store/keys.ts';
import type { Store } from '#lib/store/store.ts';
import { type BreakerPorts, takePlace, turnHealth } from './breaker.ts';
import { type Called, call, endpointSecret, readSecret, ruleSecret } from './call.ts';
import type { ActionTask } from './delivery.ts';
import { toldOf } from './dispatch.ts';
import { type Callee, calleeOfRule, type Endpoint } from './endpoint.ts';
import { type Rule, readRule } from './rule.ts';
import { type BudgetPorts, budgetOf, render, renderJson, scopeOf } from './untrusted.ts';

const LARGEST_BODY = 256 * 1024;

export interface DeliverPorts extends BreakerPorts, BudgetPorts {
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
  /** It is made as it comes, beside others: slow, it may be broken off. Else it is its turn, and it has all its time. */
  readonly isFree: boolean;
}

/** What a batch of the queue does for one endpoint, or for what one rule calls. */
export interface Lane {
  /** How many calls a task may make side by side. */
  readonly atOnce: number;
  /** Read once, and again after a call that has changed how it is. */
  endpoint?: Promise<Endpoint | undefined> | undefined;
}

/** One kind of delivery: what it calls, by which secret, and what the outcome means to whoever is called. */
export interface Target {
  /** Whether it may be called now. Else what comes waits in the table, and `waits` has it brought back. */
  readonly mayCall: (attempt: Pick<Attempt, 'isFree'>) => Promise<boolean>;
  readonly waits: () => Promise<void>;
  /** `why`: it can never be done. */
  readonly call: (attempt: Attempt) => Promise<Called | { readonly why: string }>;
  /** Answers whether one that failed goes on by its schedule; else it waits until the target is well. */
  readonly ended: (called: Called, isProbe: boolean) => Promise<boolean>;
}

/** An endpoint is told of an event. Its failures count against all that is for it. */
export function endpointTarget(ports: DeliverPorts, lane: Lane, endpoint: Endpoint): Target {
  const { mayGoOn, ...others } = spared(ports, endpoint, endpoint.timeoutMs);
  return {
    ...others,
    ended: async (called, isProbe) => {
      if (!isSuccess(called.result) || called.ms >= SLOW_AFTER_MS) lane.endpoint = undefined;
      return others.ended(called, isProbe);
    },
    call: async ({ event, storedAt, type, content, number, isFree }) => {
      const secret = await readSecret(ports.secrets, endpointSecret(endpoint.id), endpoint.secretVersion);
      const id = content === undefined ? event.id : `${event.id}_${content}`;
      const body = bodyOf(endpoint, type, event, storedAt);
      return call(ports, endpoint, secret, { id, body, attempt: number, mayGoOn: isFree ? mayGoOn : undefined });
    },
  };
}

/**
 * Whoever is called over the network is spared while it fails. While it is slow, what comes in waits and is called step by
 * step, so that it holds one place of the deliverer.
 */
function spared(
  ports: BreakerPorts,
  callee: Callee,
  callMs: number,
): Omit<Target, 'call'> & { readonly mayGoOn: () => Promise<boolean> } {
  const { clock } = ports;
  /** As it was written when this call was the first slow one: what comes in since then waits for its end. */
  let firstSlow: Callee | undefined;
  return {
    mayCall: async ({ isFree }) =>
      callee.state === 'active' && !(isFree && isSlow(callee, clock.now())) && (await takePlace(ports, callee)),
    mayGoOn: async () => {
      let mine: Health | undefined;
      const health = await turnHealth(ports, callee, (before, now) => {
        const after = slowed(before, callMs, now);
        mine = after === before ? undefined : after;
        return after;
      });
      if (health === mine) firstSlow = { ...callee, ...health, isUnwritten: false };
      return firstSlow !== undefined;
    },
    waits: async () => {
      await turnHealth(ports, callee, moreWaits);
    },
    ended: async ({ result, ms }, isProbe) => {
      const { state } = await turnHealth(ports, firstSlow ?? callee, (before, now) => {
        const after = afterCall(before, { result, ms, isProbe, isKept: isRuleId(callee.id) }, now);
        return firstSlow && after.drainingSince !== undefined ? { ...after, drainAt: now } : after;
      });
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

const fits = (body: string): boolean => Buffer.byteLength(body) <= LARGEST_BODY;

const withoutThumbnails = (value: object): string =>
  JSON.stringify(value, (key, inner) => (key === 'thumbnail' ? undefined : inner));

function idsOf(event: Event) {
  const { id, kind, workspace, provider, accountId, occurredAt, receivedAt } = event;
  const chatId = 'chatId' in event ? event.chatId : undefined;
  const ids = known({ id, kind, workspace, provider, accountId, chatId, occurredAt, receivedAt });
  return { ...ids, truncated: true };
}

const CALL_MS = 10_000;

/**
 * What a rule asks for beside messages; `forward` is a delivery to an endpoint like any other. Undefined where the rule
 * was changed or deleted while its work waited: what it does not ask for any more is not done. One that was switched off
 * takes on nothing more, and what it has taken on is done.
 */
export async function ruleTarget(
  ports: DeliverPorts,
  { workspace, rule: id, index, does }: ActionTask,
): Promise<Target | undefined> {
  const item = await ports.store.get(ruleKey(workspace, id), { consistent: true });
  const rule = item && readRule(item);
  const action = rule?.do[index];
  // What waited to be called is no mail now: whoever gets those got theirs from where it stood before.
  if (does !== undefined && action?.action !== does) return undefined;
  if (rule && action?.action === 'call')
    return callTarget(ports, rule, action, index, await calleeOfRule(ports.store, workspace, id));
  return rule && action?.action === 'email' ? mailTarget(ports, rule, action, index) : undefined;
}

type CallAction = Extract<Action, { action: 'call' }>;

/** A URL that a rule names. Its failures count against all that the rule calls. */
function callTarget(ports: DeliverPorts, rule: Rule, action: CallAction, index: number, callee: Callee): Target {
  const { mayGoOn, ...others } = spared(ports, callee, CALL_MS);
  return {
    ...others,
    call: async ({ event, number, isFree }) => {
      const scope = scopeOf(await toldOf(ports.store, action, event), ports.clock.now(), rule.timeZone);
      const rendered = bodyOfCall(ports, action, event, scope);
      if ('why' in rendered) return rendered;
      const { secrets, calls } = await readSecret(ports.secrets, ruleSecret(rule.id), rule.secretVersion);
      return call(
        ports,
        { url: action.url, timeoutMs: CALL_MS, method: action.method },
        { secrets, ...known({ headers: calls?.[String(index)] }) },
        { ...rendered, id: `${event.id}_${index}`, attempt: number, mayGoOn: isFree ? mayGoOn : undefined },
      );
    },
  };
}

/** The parameter may have been taken away since the rule was written: the mail goes out once it is back. */
const NO_SENDER = {
  result: { kind: 'failed', reason: 'refused' },
  answer: 'there is no address to send from: the parameter mailFrom is not set',
  ms: 0,
} as const;

function mailTarget(
  { store, clock, mailer, mailFrom }: DeliverPorts,
  rule: Rule,
  action: EmailAction,
  index: number,
): Target {
  return {
    mayCall: async () => true,
    waits: async () => undefined,
    call: async ({ event }) => {
      if (mailFrom === undefined) return NO_SENDER;
      const rendered = await mailOf(store, rule, action, index, await toldOf(store, action, event), {
        ...{ from: mailFrom, now: clock.now() },
      });
      if ('why' in rendered) return rendered;
      const startedAt = clock.monotonic();
      const { result, answer } = await mailer.send(rendered);
      return { result, answer, ms: Math.round(clock.monotonic() - startedAt) };
    },
    ended: async () => true,
  };
}

/** Each text of a call takes its time, and the call is made beside those of others. */
const MOST_OF_A_CALL_MS = 1000;
/** Too large, it is given up: a part of JSON is none. */
const TOO_LARGE = { why: 'what it renders to has more than 256 kB: take less of the event into it' };

/** JSON is built first, and each string of it rendered: what comes out of a text never becomes a part of it. */
export function bodyOfCall(
  ports: BudgetPorts,
  { json, text }: Pick<CallAction, 'json' | 'text'>,
  event: Event,
  scope: Readonly<Record<string, unknown>>,
): { readonly body: string; readonly contentType: string } | { readonly why: string } {
  try {
    if (json !== undefined) {
      const body = JSON.stringify(renderJson(json, scope, budgetOf(ports, MOST_OF_A_CALL_MS)));
      return fits(body) ? { body, contentType: 'application/json' } : TOO_LARGE;
    }
  } catch (error) {
    return { why: error instanceof Error ? error.message : 'it cannot be rendered' };
  }
  if (text === undefined) return { body: bareEvent(event), contentType: 'application/json' };
  const rendered = render(text, scope);
  return rendered.kind === 'failed'
    ? { why: rendered.reason }
    : { body: rendered.text, contentType: 'text/plain; charset=utf-8' };
}

export type EmailAction = Extract<Action, { action: 'email' }>;

interface Attachment {
  readonly name: string;
  readonly contentType: string;
  readonly content: Uint8Array;
}

/** A mail as it goes out. */
export interface Mail {
  readonly from: string;
  readonly to: readonly string[];
  readonly subject: string;
  readonly text: string;
  /** The same each time that it is sent again. */
  readonly id: string;
  readonly attachment?: Attachment;
}

export interface Mailer {
  /** Never throws for what the mail service or the network did. */
  send(mail: Mail): Promise<{ readonly result: CallResult; readonly answer: string }>;
}

/** What a rule's action comes to for an event, or why it cannot be rendered. */
export async function mailOf(
  store: Store,
  rule: Pick<Rule, 'name' | 'timeZone'>,
  { to, subject, text, attach }: EmailAction,
  index: number,
  told: Told,
  { from, now }: { readonly from: string; readonly now: number },
): Promise<Mail | { readonly why: string }> {
  const { event } = told;
  const scope = scopeOf(told, now, rule.timeZone);
  const [line, body] = [render(subject, scope), render(text, scope)];
  if (line.kind === 'failed') return { why: `subject: ${line.reason}` };
  if (body.kind === 'failed') return { why: `text: ${body.reason}` };
  const mail = { from, to, subject: subjectOf(line.text, rule.name), id: `${event.id}_${index}` };
  const attachment = attach && (await attachmentOf(store, attach, event, now));
  if (attachment && attachment.content.length > LARGEST_ATTACHMENT) {
    const note = `The attachment is left out: it has ${attachment.content.length} bytes, and a mail takes ${LARGEST_ATTACHMENT}.`;
    return { ...mail, text: `${body.text.toWellFormed()}\n\n${note}\n` };
  }
  return { ...mail, text: body.text.toWellFormed(), ...(attachment && { attachment }) };
}

async function attachmentOf(
  store: Store,
  which: 'event' | 'raw',
  event: Event,
  now: number,
): Promise<Attachment | undefined> {
  if (which === 'event') {
    const content = Buffer.from(JSON.stringify(event, null, 2));
    return { name: `${event.id}.json`, contentType: 'application/json', content };
  }
  const raw = await rawOfEvent(store, event.workspace, event.id, Math.floor(now / 1000));
  return raw && { ...kindOf(raw.contentType, event.id), content: raw.bytes };
}

/** What came in calls itself as it likes: of that, a mail says only what opens as text. */
function kindOf(contentType: string, id: string): Omit<Attachment, 'content'> {
  const [type = ''] = contentType.toLowerCase().split(';');
  if (/[/+]json$/.test(type.trim())) return { name: `${id}.json`, contentType: 'application/json' };
  if (/^text\/|x-www-form-urlencoded$/.test(type.trim())) return { name: `${id}.txt`, contentType: 'text/plain' };
  return { name: `${id}.raw`, contentType: 'application/octet-stream' };
}

const LONGEST_SUBJECT = 500;

/** Somebody else's words as the line of a header: whatever could end the line becomes a blank. Empty, it is `otherwise`. */
const subjectOf = (rendered: string, otherwise: string): string => lineOf(rendered) || lineOf(otherwise);

function lineOf(text: string): string {
  const line = text.toWellFormed().replace(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, ' ');
  return [...line.trim()].slice(0, LONGEST_SUBJECT).join('');
}

/** What SES takes is 10 MB when attachments are in base64; the text and its headers need some of it. */
const LARGEST_ATTACHMENT = 7_000_000;
