import * as v from 'valibot';
import type { MessageEvent } from '#lib/domain/event.ts';
import type { Told } from '#lib/domain/reaction/condition.ts';
import { typeOf } from '#lib/domain/reaction/notice.ts';
import type { Action, NewRule } from '#lib/domain/reaction/rule.ts';
import { known, optional } from '#lib/domain/schema.ts';
import { toIso } from '#lib/domain/time.ts';
import { findEvent, isReplayed, listEvents } from '#lib/inbox/events.ts';
import { askGuard } from './auto.ts';
import { toldOf } from './dispatch.ts';
import { findEndpoint } from './endpoints.ts';
import { bodyOf, guardOf, matchOf } from './react.ts';
import type { Rule } from './rule.ts';
import { faultsOf, type RulePorts } from './rules.ts';
import { bodyOfCall, type Mail, mailOf, bodyOf as noticeBody } from './target.ts';
import { type Budget, budgetOf, scopeOf, TOO_LONG } from './untrusted.ts';

export const Trial = v.object({
  event: v.string(),
  type: v.exactOptional(v.string()),
  matched: v.boolean(),
  why: optional(v.string(), 'Where its condition takes too long to be decided, or those of the events before it did'),
  trace: v.pipe(
    v.array(
      v.object({
        at: v.string(),
        field: v.string(),
        operator: v.string(),
        found: optional(v.unknown(), 'What the event has there, a text shortened'),
        holds: v.boolean(),
      }),
    ),
    v.description('Each comparison; none where the type or the account already says no'),
  ),
  guard: optional(v.object({ may: v.boolean(), why: v.exactOptional(v.string()) }), 'Of a rule that would answer'),
  actions: v.array(v.object({ action: v.string(), would: v.unknown(), why: v.exactOptional(v.string()) })),
});
export type Trial = v.InferOutput<typeof Trial>;

export interface Asked {
  readonly eventIds?: readonly string[] | undefined;
  readonly last?: number | undefined;
}

/** Fifty events with texts that take long would hold up everybody who asks the API. */
const MOST_OF_A_TRIAL_MS = 2000;
const NOT_TRIED = 'the events before it took all the time that a trial has: try the rule on fewer';

/** What the rule would do with these events. Nothing is sent, and nothing counted. */
export async function tryRule(
  ports: RulePorts,
  workspace: string,
  wanted: NewRule,
  origins: readonly string[],
  asked: Asked,
) {
  const issues = await faultsOf(ports, workspace, wanted, origins);
  if (issues.length > 0) return { issues };
  const { store, clock } = ports;
  const now = clock.now();
  const at = toIso(now);
  const rule: Rule = { ...wanted, id: 'rule_trial', workspace, failures: 0, createdAt: at, updatedAt: at };
  const seconds = Math.floor(now / 1000);
  const events = asked.eventIds
    ? (await Promise.all(asked.eventIds.map((id) => findEvent(store, workspace, id, seconds)))).flatMap(
        (one) => one ?? [],
      )
    : (await listEvents(store, workspace, {}, { limit: asked.last ?? 50 }, seconds)).items;
  const trials: Trial[] = [];
  const budget = budgetOf(ports, MOST_OF_A_TRIAL_MS);
  for (const event of events) {
    const type = typeOf(event);
    if (budget.isSpent()) {
      trials.push({
        ...{ event: event.id, matched: false, trace: [], actions: [] },
        ...known({ type }),
        why: NOT_TRIED,
      });
      continue;
    }
    const told = await toldOf(store, rule, event);
    const asked = type && matchOf(rule, { ...told, type }, now, budget);
    const { holds, trace, undecided } = asked ?? { holds: false, trace: [] };
    const guard = holds ? await guardOn(ports, rule, told, now, budget) : undefined;
    trials.push({
      ...{ event: event.id, matched: holds, trace: [...trace] },
      ...known({ type, guard, why: undecided && (undecided === 'too long' ? TOO_LONG : NOT_TRIED) }),
      // What is rendered is so before the first wait of each.
      actions: holds
        ? await Promise.all(
            rule.do.map(async (action, index) => ({
              action: action.action,
              ...(await budget.spend(() => would(ports, rule, action, index, told, now))),
            })),
          )
        : [],
    });
  }
  return { items: trials };
}

/** What the guard would say to the messages of a rule, the first refusal counting; undefined where it sends none. */
async function guardOn(ports: RulePorts, rule: Rule, told: Told, now: number, budget: Budget) {
  const { event } = told;
  const seconds = Math.floor(now / 1000);
  const asked = { isReplay: await isReplayed(ports.store, rule.workspace, event.id, seconds), now };
  const ask = async (message: MessageEvent) => (await askGuard(ports, rule, message, asked)).verdict;
  let verdict: { readonly may: boolean } | undefined;
  for (const action of rule.do) {
    if (action.action !== 'reply' && action.action !== 'send') continue;
    const written = budget.spend(() => bodyOf(rule, action, told, now));
    if (!('body' in written)) {
      if (written.result === 'guarded') return { may: false, ...known({ why: written.why }) };
      continue;
    }
    const allowed = await guardOf(ports.store, rule, action, written.body, { event, ...asked }, ask);
    if (!allowed.may) return { may: false, why: allowed.why };
    verdict = { may: true };
  }
  return verdict;
}

async function would(
  ports: RulePorts,
  rule: Rule,
  action: Action,
  index: number,
  told: Told,
  now: number,
): Promise<Omit<Trial['actions'][number], 'action'>> {
  switch (action.action) {
    case 'email': {
      const mail = await mailOf(ports.store, rule, action, index, told, { from: ports.mailFrom ?? '', now });
      return 'why' in mail ? nothing(mail.why) : { would: shownMail(mail) };
    }
    case 'forward': {
      const endpoint = await findEndpoint(ports.store, rule.workspace, action.endpoint);
      const type = typeOf(told.event);
      const posted = endpoint && type ? shownBody(noticeBody(endpoint, type, told.event)) : {};
      return { would: { endpoint: action.endpoint, ...posted } };
    }
    case 'call': {
      const { url, method } = action;
      const posted = bodyOfCall(ports, action, told.event, scopeOf(told, now, rule.timeZone));
      if ('why' in posted) return nothing(posted.why);
      return { would: { url, method, contentType: posted.contentType, ...shownBody(posted.body) } };
    }
    default: {
      const written = bodyOf(rule, action, told, now);
      return 'body' in written ? { would: written.body } : nothing(written.why);
    }
  }
}

const nothing = (why: string | undefined) => ({ would: {}, ...known({ why }) });

/** Fifty events have to fit into an answer. */
const LONGEST_SHOWN = 4000;

function shownBody(body: string) {
  if (body.length <= LONGEST_SHOWN) return { body };
  return { body: `${body.slice(0, LONGEST_SHOWN).toWellFormed()}…`, bytes: Buffer.byteLength(body) };
}

function shownMail({ from, to, subject, text, attachment }: Mail) {
  const { name, contentType, content } = attachment ?? {};
  return { from, to, subject, text, ...(content && { attachment: { name, contentType, bytes: content.length } }) };
}
