import type { Event, MessageEvent } from '#lib/domain/event.ts';
import { sha256 } from '#lib/domain/ids.ts';
import type { JsonObject } from '#lib/domain/json.ts';
import type { Log, Metrics } from '#lib/domain/ports.ts';
import type { Told } from '#lib/domain/reaction/condition.ts';
import { NO_MESSAGE, type Verdict } from '#lib/domain/reaction/guard.ts';
import { isAmong, type NoticeType } from '#lib/domain/reaction/notice.ts';
import type { Action } from '#lib/domain/reaction/rule.ts';
import { known } from '#lib/domain/schema.ts';
import { HOUR_MS, toIso } from '#lib/domain/time.ts';
import { tellEvent } from '#lib/inbox/event-store.ts';
import { findEvent } from '#lib/inbox/events.ts';
import { QUOTE } from '#lib/outbox/resolve.ts';
import type { Once, SendVerdict } from '#lib/outbox/submit.ts';
import { endpointKey, mailHourKey, ruleKey, ruleRefusedKey, rulesPausedKey, runKey } from '#lib/store/keys.ts';
import { absent, add, any, compare, equal, exists, put, type Store, set, update } from '#lib/store/store.ts';
import {
  type AutoPorts,
  countMessage,
  isToSender,
  MOST_A_MINUTE,
  mutedIdentity,
  onceKey,
  ownDoing,
  takeAnswer,
} from './auto.ts';
import { type ActionTask, type DeliveryTask, deliveryIdOf, KEPT_SECONDS, type Tasks } from './delivery.ts';
import { type ActionResult, inOrder, type Rule, readRule, ruleItem } from './rule.ts';
import { type Budget, NO_TIME, render, scopeOf, TOO_LONG } from './untrusted.ts';

/** In a row: a rule that never works is switched off. */
const MOST_FAILURES = 10;
const MOST_MAILS_AN_HOUR = 100;

export interface ReactPorts extends AutoPorts {
  /** What conditions and texts of this workspace may take. */
  readonly budget: (workspace: string) => Budget;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly tasks: Tasks;
  /** Charges and queues a message, as a send webhook does; the same key is the same message, for a month. */
  readonly submit: (workspace: string, rule: string, body: JsonObject, once: Once) => Promise<SendVerdict>;
}

/** What has to be known of an event to let rules act on it. */
export interface Occasion extends Told {
  readonly type: NoticeType;
  /** ISO 8601. */
  readonly storedAt: string;
  readonly isReplay: boolean;
  readonly budget: Budget;
}

/** Whether the rule is meant, and each comparison with what it found. */
export function matchOf(
  rule: Rule,
  { type, ...told }: Told & Pick<Occasion, 'type'>,
  now: number,
  budget: Budget,
): ReturnType<Budget['ask']> {
  const { event } = told;
  const isMeant =
    isAmong(type, rule.on) &&
    (rule.accounts === undefined || (event.accountId !== undefined && rule.accounts.includes(event.accountId)));
  if (!isMeant) return { holds: false, trace: [] };
  if (rule.when === undefined) return { holds: true, trace: [] };
  return budget.ask(rule.when, { ...told, now, timeZone: rule.timeZone });
}

/**
 * Lets the rules of a workspace act on what was stored, in their order. Each runs once for an event, whatever becomes of
 * it: the run is written down at its end, and the messages of one that died on the way are accepted once all the same.
 */
export async function react(ports: ReactPorts, rules: readonly Rule[], occasion: Occasion): Promise<void> {
  const now = ports.clock.now();
  let notAsked = 0;
  for (const rule of inOrder(rules)) {
    if (!rule.enabled) continue;
    const { holds, undecided } = matchOf(rule, occasion, now, occasion.budget);
    if (undecided === 'no time left') {
      notAsked += 1;
      continue;
    }
    if (!holds && undecided === undefined) continue;
    await run(ports, rule, occasion, undecided !== undefined);
    if (holds && rule.stop) break;
  }
  if (notAsked === 0) return;
  // All that come now fare the same: a run for each rule of each of them would hold up others as well.
  const { workspace, id: correlationId } = occasion.event;
  ports.log.warn('rules were not asked: their workspace has used up its time', { workspace, correlationId, notAsked });
}

/** Where its condition was not decided nothing is done, and the run says why. Those after it are asked all the same. */
async function run(ports: ReactPorts, rule: Rule, occasion: Occasion, isUndecided: boolean): Promise<void> {
  const { store, clock } = ports;
  const key = runKey(rule.id, occasion.storedAt, occasion.event.id);
  if (await store.get(key, { consistent: true })) return;
  // It was matched as the stream has brought it: of what was erased since then nothing is said.
  const event = await findEvent(store, rule.workspace, occasion.event.id, Math.floor(clock.now() / 1000));
  if (!event) return;
  const actions: ActionResult[] = [];
  for (const [index, action] of isUndecided ? [] : rule.do.entries())
    actions.push(await act(ports, rule, { ...occasion, event }, action, index));
  const result = isUndecided ? 'failed' : worstOf(actions);
  const now = clock.now();
  const { done } = await store.write(
    put(
      {
        ...key,
        ...{ rule: rule.id, workspace: rule.workspace, event: event.id, at: toIso(now), result },
        ...(isUndecided && { why: TOO_LONG }),
        actions: actions.map((one) => known({ ...one })),
        expiresAt: Math.floor(now / 1000) + KEPT_SECONDS,
      },
      absent(),
    ),
  );
  // Another run of the same event has counted what it came to.
  if (done) await countFailure(ports, rule, result);
}

const WORST: readonly ActionResult['result'][] = ['failed', 'refused', 'guarded', 'done'];

function worstOf(actions: readonly ActionResult[]): ActionResult['result'] {
  return WORST.find((result) => actions.some((one) => one.result === result)) ?? 'done';
}

async function act(
  ports: ReactPorts,
  rule: Rule,
  occasion: Occasion,
  action: Action,
  index: number,
): Promise<ActionResult> {
  const { event, storedAt } = occasion;
  const workspace = rule.workspace;
  switch (action.action) {
    case 'reply':
    case 'send':
      return { action: action.action, ...(await say(ports, rule, occasion, action, index)) };
    case 'forward':
      if (!(await ports.store.get(endpointKey(workspace, action.endpoint), { consistent: true })))
        return {
          action: 'forward',
          result: 'failed',
          why: `the endpoint ${action.endpoint} was deleted: name another`,
        };
      return handOn(ports, action, {
        kind: 'delivery',
        workspace,
        endpoint: action.endpoint,
        event: event.id,
        storedAt,
      });
    case 'email':
    case 'call':
      if (action.action === 'email' && !(await takeMail(ports, rule)))
        return { action: 'email', result: 'guarded', why: `it has sent ${MOST_MAILS_AN_HOUR} mails in this hour` };
      return handOn(ports, action, {
        ...({ kind: 'action', workspace, rule: rule.id } as const),
        ...{ event: event.id, storedAt, index, does: action.action },
      });
  }
}

async function handOn(
  { tasks }: ReactPorts,
  { action }: Action,
  task: DeliveryTask | ActionTask,
): Promise<ActionResult> {
  await tasks.send(task);
  return { action, result: 'done', delivery: deliveryIdOf(task) };
}

/** Takes one mail off what a rule may send in this hour. A run that dies takes another: there are fewer then, never more. */
async function takeMail({ store, clock }: ReactPorts, rule: Rule): Promise<boolean> {
  const now = clock.now();
  const key = mailHourKey(rule.id, Math.floor(now / HOUR_MS));
  const changes = [add('count', 1), set('expiresAt', Math.floor((now + 2 * HOUR_MS) / 1000))];
  const room = any(absent('count'), compare('count', '<', MOST_MAILS_AN_HOUR));
  return (await store.write(update(key, changes, room))).done;
}

type Saying = Extract<Action, { action: 'reply' | 'send' }>;
type Outcome = Omit<ActionResult, 'action'>;

/** Renders and guards a message, and hands it in. */
async function say(
  ports: ReactPorts,
  rule: Rule,
  { event, accountPhone, isReplay, budget }: Occasion,
  action: Saying,
  index: number,
): Promise<Outcome> {
  const now = ports.clock.now();
  // Asked for each message: the rules may have come to pause within this very batch.
  if (await ports.store.get(rulesPausedKey(rule.workspace), { consistent: true }))
    return { result: 'guarded', why: 'rules do not send for now' };
  if (budget.isSpent()) return { result: 'guarded', why: NO_TIME };
  const written = budget.spend(() => bodyOf(rule, action, { event, ...known({ accountPhone }) }, now));
  if (!('body' in written)) return written;
  const allowed = await guardOf(ports.store, rule, action, written.body, { event, isReplay, now }, (message) =>
    takeAnswer(ports, rule, message, { isReplay, now }),
  );
  if (!allowed.may) {
    if (allowed.mute && event.kind === 'message') await tellMuted(ports, rule, event);
    return { result: 'guarded', why: allowed.why };
  }
  const count = await countMessage(ports, rule.workspace);
  if (count > MOST_A_MINUTE) {
    await pause(ports, rule.workspace);
    return { result: 'guarded', why: `rules sent more than ${MOST_A_MINUTE} messages in a minute: all of them pause` };
  }
  const key = {
    key: onceKey(rule.id, event.id, index),
    hash: sha256(`${rule.id} ${event.id} ${index}`),
    keptSeconds: KEPT_SECONDS,
  };
  const verdict = await handIn(ports, rule, written.body, key);
  if (verdict.id !== undefined) return { result: 'done', send: verdict.id, ...known({ why: verdict.message }) };
  const why = verdict.message ?? 'it was not accepted';
  if (verdict.answer.status !== 402) return { result: 'failed', why };
  await tellRefused(ports, rule);
  return { result: 'refused', why };
}

/** Where nothing but the quote stands in the way, the words go out without it. */
async function handIn(
  { submit }: ReactPorts,
  { workspace, id }: Rule,
  body: Readonly<Record<string, string>>,
  key: Once,
): Promise<SendVerdict> {
  const verdict = await submit(workspace, id, body, key);
  if (!verdict.issues?.every(({ path }) => path === QUOTE)) return verdict;
  const { [QUOTE]: _quote, ...others } = body;
  const plain = verdict.id === undefined ? await submit(workspace, id, others, key) : verdict;
  return plain.id === undefined ? plain : { ...plain, message: NOT_QUOTED };
}

const NOT_QUOTED = 'it went out without the quote: its account cannot quote this message';

/** What would be handed in, as `/send/<token>` takes it; or why it cannot be rendered. */
export function bodyOf(
  rule: Rule,
  action: Saying,
  told: Told,
  now: number,
): { readonly body: Readonly<Record<string, string>> } | Outcome {
  const { event } = told;
  const scope = scopeOf(told, now, rule.timeZone);
  const fields = {
    ...(action.action === 'reply' ? replyTo(event) : { ...action.to, ...known({ account_id: action.accountId }) }),
    ...known({ text: action.text, file_url: action.fileUrl, file_name: action.fileName }),
  };
  if (action.action === 'reply' && !('chat_id' in fields)) return { result: 'guarded', why: NO_MESSAGE };
  const rendered: Record<string, string> = { action: 'send' };
  for (const [name, template] of Object.entries(fields)) {
    if (template === undefined) continue;
    const one = render(template, scope);
    if (one.kind === 'failed') return { result: 'failed', why: `${name}: ${one.reason}` };
    rendered[name] = one.text;
  }
  // An id of theirs is no template.
  return { body: { ...rendered, ...quoteIn(action, event) } };
}

const quoteIn = (action: Saying, event: Event): Readonly<Record<string, string>> =>
  action.action === 'reply' && action.quote && event.kind === 'message' ? { [QUOTE]: event.message.id } : {};

function replyTo(event: Event): Readonly<Record<string, string>> {
  if (event.kind !== 'message') return {};
  return { chat_id: event.chatId, ...known({ account_id: event.accountId }) };
}

type Allowed = { readonly may: true } | Exclude<Verdict, { readonly may: true }>;

/**
 * Whether a message may be sent. One to somebody else than who wrote is no answer, and only must not be made of what is
 * old, or of what the hub has done itself. `ask`: the guard of the chat, which a trial asks without taking anything off a
 * budget.
 */
export async function guardOf(
  store: Store,
  rule: Rule,
  action: Saying,
  body: Readonly<Record<string, string>>,
  { event, isReplay, now }: Pick<Occasion, 'event' | 'isReplay'> & { readonly now: number },
  ask: (event: MessageEvent) => Promise<Allowed>,
): Promise<Allowed> {
  const isAnswer = action.action === 'reply' || (await isToSender(store, event, body));
  if (event.kind === 'message' && isAnswer) return ask(event);
  // A machine may react to each message as it may answer it.
  if (isAnswer) return { may: false, why: NO_MESSAGE };
  if (isReplay) return { may: false, why: 'it was replayed' };
  const isOld = now - Date.parse(event.occurredAt) > rule.guard.maxAgeSeconds * 1000;
  if (isOld) return { may: false, why: 'it is too old' };
  const own = await ownDoing(store, event);
  return own === undefined ? { may: true } : { may: false, why: own };
}

async function tellMuted(ports: ReactPorts, { id, workspace }: Rule, event: MessageEvent): Promise<void> {
  const told = { id, state: 'muted', chatId: event.chatId, reason: 'a machine seems to answer there' } as const;
  await tellEvent(ports, { workspace, payload: { kind: 'rule', rule: told }, identity: mutedIdentity(id, event.id) });
}

/** Once an hour at most: the next message will lack credits as well. */
async function tellRefused(ports: ReactPorts, { id, workspace }: Rule): Promise<void> {
  const { store, clock } = ports;
  const now = clock.now();
  const item = { ...ruleRefusedKey(id), at: now, expiresAt: Math.floor((now + 2 * HOUR_MS) / 1000) };
  const written = await store.write(put(item, any(absent(), compare('at', '<=', now - HOUR_MS))));
  // Whoever wrote it may have died before it was told; told twice, it is stored once.
  const since = written.done ? now : Number(written.item?.at);
  const payload = { kind: 'rule', rule: { id, state: 'refused', reason: 'there are no credits for it' } } as const;
  await tellEvent(ports, { workspace, payload, identity: ['refused', id, String(since)] });
}

/** Until somebody lets them go on. Written once; who comes later finds it. */
async function pause(ports: ReactPorts, workspace: string): Promise<void> {
  const { store, clock, metrics, log } = ports;
  const at = toIso(clock.now());
  const reason = `more than ${MOST_A_MINUTE} automatic messages in a minute`;
  const written = await store.write(put({ ...rulesPausedKey(workspace), at, why: reason }, absent()));
  if (written.done) {
    metrics.count('RulesPaused');
    log.warn('the rules of a workspace pause', { workspace });
  }
  // Whoever wrote it may have died before it was told; told twice, it is stored once.
  const since = written.done ? at : String(written.item?.at);
  const payload = { kind: 'rule', rule: { state: 'paused', reason } } as const;
  await tellEvent(ports, { workspace, payload, identity: ['paused', since] });
}

/** Ten failed runs in a row switch a rule off; one that works begins the count anew. */
async function countFailure(ports: ReactPorts, rule: Rule, result: ActionResult['result']): Promise<void> {
  const { store, log, metrics } = ports;
  const key = ruleKey(rule.workspace, rule.id);
  if (result !== 'failed') {
    if (result === 'done' && rule.failures > 0) await store.write(update(key, [set('failures', 0)], exists()));
    return;
  }
  const counted = await store.write(update(key, [add('failures', 1)], exists()), { returns: 'new' });
  const now = counted.done && counted.item ? readRule(counted.item) : undefined;
  if (!now || now.failures < MOST_FAILURES || !now.enabled) return;
  const { id, workspace, updatedAt } = now;
  const reason = `it failed ${MOST_FAILURES} times in a row`;
  // Told first: who comes again after a crash finds a rule that is switched off, and tells nothing.
  const payload = { kind: 'rule', rule: { id, state: 'paused', reason } } as const;
  await tellEvent(ports, { workspace, payload, identity: [id, updatedAt] });
  // Somebody may be writing it anew at this moment.
  const off = ruleItem({ ...now, enabled: false, disabledBecause: reason });
  await store.write(put(off, equal('updatedAt', updatedAt)));
  metrics.count('RulesPaused');
  log.warn('a rule was switched off', { workspace, rule: id });
}
