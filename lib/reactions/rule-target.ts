import type { Event } from '#lib/domain/event.ts';
import { type CallResult, type Health, spare } from '#lib/domain/reaction/delivery.ts';
import type { Action } from '#lib/domain/reaction/rule.ts';
import { known } from '#lib/domain/schema.ts';
import { ruleKey } from '#lib/store/keys.ts';
import type { Store } from '#lib/store/store.ts';
import { toldOf } from './account-phone.ts';
import { type Budget, budgetOf } from './budget.ts';
import { call, readSecret, ruleSecret } from './call.ts';
import { type Callee, calleeOfRule } from './health.ts';
import type { Lane } from './lane.ts';
import { type EmailAction, mailOf } from './mail.ts';
import { type Rule, readRule } from './rule.ts';
import { bareEvent, fits, spared, type Target, type TargetPorts } from './target.ts';
import type { ActionTask } from './task.ts';
import { render, renderJson, scopeOf } from './templates.ts';

const CALL_MS = 10_000;

/**
 * What a rule asks for beside messages; `forward` is a delivery to an endpoint like any other. Undefined where the rule
 * was changed or deleted while its work waited: what it does not ask for any more is not done.
 */
export async function ruleTarget(
  ports: TargetPorts,
  lane: Lane,
  { workspace, rule: id, index, does }: ActionTask,
): Promise<Target | undefined> {
  const item = await ports.store.get(ruleKey(workspace, id), { consistent: true });
  const rule = item && readRule(item);
  const action = rule?.do[index];
  // What waited to be called is no mail now: whoever gets those got theirs from where it stood before.
  if (does !== undefined && action?.action !== does) return undefined;
  if (rule && action?.action === 'call')
    return unlessOff(
      rule,
      callTarget(ports, lane, rule, action, index, await calleeOfRule(ports.store, workspace, id)),
    );
  return rule && action?.action === 'email' ? unlessOff(rule, mailTarget(ports, rule, action, index)) : undefined;
}

/** What waits for a rule that is switched off is done once that is on again. */
const unlessOff = ({ enabled }: Rule, target: Target): Target =>
  enabled ? target : { ...target, mayCall: async () => false, waits: async () => undefined };

/** Whether a rule is switched off, or gone: nothing is asked or handed out for it. */
export async function isOff(store: Store, workspace: string, rule: string): Promise<boolean> {
  const item = await store.get(ruleKey(workspace, rule), { consistent: true });
  return item === undefined || !readRule(item).enabled;
}

type CallAction = Extract<Action, { action: 'call' }>;

/** A URL that a rule names. Its failures count against all that the rule calls. */
function callTarget(
  ports: TargetPorts,
  lane: Lane,
  rule: Rule,
  action: CallAction,
  index: number,
  callee: Callee,
): Target {
  const worse = (health: Health, _result: CallResult, now: number, isProbe: boolean) => spare(health, now, isProbe);
  const { mayGoOn, ...others } = spared(ports, lane, callee, CALL_MS, worse);
  return {
    ...others,
    call: async ({ event, number }) => {
      const scope = scopeOf(await toldOf(ports.store, action, event), ports.clock.now(), rule.timeZone);
      const rendered = bodyOfCall(action, event, scope, budgetOf(ports));
      if ('why' in rendered) return rendered;
      const { secrets, calls } = await readSecret(ports.secrets, ruleSecret(rule.id), rule.secretVersion);
      return call(
        ports,
        { url: action.url, timeoutMs: CALL_MS, method: action.method },
        { secrets, ...known({ headers: calls?.[String(index)] }) },
        { ...rendered, id: `${event.id}_${index}`, attempt: number, mayGoOn },
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
  { store, clock, mailer, mailFrom }: TargetPorts,
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
    succeeded: async () => undefined,
    failed: async () => true,
  };
}

/** Too large, it is given up: a part of JSON is none. */
const TOO_LARGE = { why: 'what it renders to has more than 256 kB: take less of the event into it' };

/** JSON is built first, and each string of it rendered: what comes out of a text never becomes a part of it. */
export function bodyOfCall(
  { json, text }: Pick<CallAction, 'json' | 'text'>,
  event: Event,
  scope: Readonly<Record<string, unknown>>,
  budget: Budget,
): { readonly body: string; readonly contentType: string } | { readonly why: string } {
  try {
    if (json !== undefined) {
      const body = JSON.stringify(renderJson(json, scope, budget));
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
