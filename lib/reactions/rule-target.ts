import { type CallResult, type Health, spare } from '#lib/domain/reaction/delivery.ts';
import type { Action } from '#lib/domain/reaction/rule.ts';
import { known } from '#lib/domain/schema.ts';
import { ruleKey } from '#lib/store/keys.ts';
import { type Budget, budgetOf } from './budget.ts';
import { call } from './call.ts';
import { type Callee, calleeOfRule } from './health.ts';
import type { Lane } from './lane.ts';
import { type EmailAction, mailOf } from './mail.ts';
import { type Rule, readRule } from './rule.ts';
import { readSecret, ruleSecret } from './secret.ts';
import { spared, type Target, type TargetPorts } from './target.ts';
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
    return callTarget(ports, lane, rule, action, index, await calleeOfRule(ports.store, workspace, id));
  return rule && action?.action === 'email' ? mailTarget(ports, rule, action, index) : undefined;
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
      const rendered = bodyOfCall(action, scopeOf(event, ports.clock.now(), rule.timeZone), budgetOf(ports));
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
      const rendered = await mailOf(store, rule, action, index, event, { from: mailFrom, now: clock.now() });
      if ('why' in rendered) return rendered;
      const startedAt = clock.monotonic();
      const { result, answer } = await mailer.send(rendered);
      return { result, answer, ms: Math.round(clock.monotonic() - startedAt) };
    },
    succeeded: async () => undefined,
    failed: async () => true,
  };
}

/** JSON is built first, and each string of it rendered: what comes out of a text never becomes a part of it. */
export function bodyOfCall(
  { json, text }: CallAction,
  scope: Readonly<Record<string, unknown>>,
  budget: Budget,
): { readonly body: string; readonly contentType: string } | { readonly why: string } {
  try {
    if (json !== undefined)
      return { body: JSON.stringify(renderJson(json, scope, budget)), contentType: 'application/json' };
  } catch (error) {
    return { why: error instanceof Error ? error.message : 'it cannot be rendered' };
  }
  if (text === undefined) return { body: JSON.stringify(scope.event), contentType: 'application/json' };
  const rendered = render(text, scope);
  return rendered.kind === 'failed'
    ? { why: rendered.reason }
    : { body: rendered.text, contentType: 'text/plain; charset=utf-8' };
}
