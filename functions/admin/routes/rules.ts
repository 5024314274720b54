import * as v from 'valibot';
import { SHORT_FIELDS } from '#lib/domain/reaction/condition.ts';
import { NewRule, ruleFields } from '#lib/domain/reaction/rule.ts';
import { Instant, known, optional, strictObject, text, Whole } from '#lib/domain/schema.ts';
import { toIso } from '#lib/domain/time.ts';
import { listMuted, Muted, Paused, pausedOf, resumeRules, unmute } from '#lib/reactions/auto.ts';
import { RECIPES, Recipe } from '#lib/reactions/recipes.ts';
import { listRuns, type Rule, Run, RunsOfDay, runsOfDay, writtenOf } from '#lib/reactions/rule.ts';
import { callsFailingSince, createRule, deleteRule, findRule, listRules, replaceRule } from '#lib/reactions/rules.ts';
import { Trial, tryRule } from '#lib/reactions/trial.ts';
import { EMPTY, invalid, json, missing, problem } from '../answers.ts';
import { routesOn } from '../route.ts';
import { allOf, changesOf, flag, Id, listOf, Paging, pageRequest, wholeList } from '../schemas.ts';

const NO_RULE = missing('rule');
const route = routesOn({ tag: 'Rules', access: 'workspace' });

export const ShownRule = v.object({
  id: v.string(),
  ...NewRule.entries,
  failures: v.pipe(Whole, v.description('Runs that failed, in a row: ten switch it off')),
  disabledBecause: optional(v.string(), 'Why the hub itself switched it off'),
  callsFailingSince: optional(
    Instant,
    'Of one rule by itself: what it calls fails, and is spared. One call after 1, 2, 5 and then each 15 minutes asks how it is',
  ),
  last24h: v.exactOptional(RunsOfDay),
  createdAt: Instant,
  updatedAt: Instant,
});
export const RuleWithSecret = v.object({
  ...ShownRule.entries,
  secret: optional(v.string(), 'Of a rule that calls: verifies each call, as Standard Webhooks says. Shown this once'),
});

const shown = (rule: Rule) => {
  const { id, failures, createdAt, updatedAt, disabledBecause } = rule;
  return { id, ...writtenOf(rule), failures, createdAt, updatedAt, ...known({ disabledBecause }) };
};

const EXAMPLE: v.InferInput<typeof NewRule> = {
  name: 'Price list',
  on: ['message.received'],
  when: { field: 'text', words: ['price', 'preis', 'precio'] },
  do: [{ action: 'reply', text: "Hi {{ sender.name | default: 'there' }}, our list: https://example.com/prices" }],
};

function replied(replaced: Awaited<ReturnType<typeof replaceRule>>) {
  if (!replaced) return NO_RULE;
  if ('issues' in replaced) return invalid(replaced.issues);
  return json(200, { ...shown(replaced.rule), ...known({ secret: replaced.secret }) });
}

const Patch = changesOf({
  name: v.exactOptional(ruleFields.name),
  enabled: v.exactOptional(ruleFields.enabled),
  on: v.exactOptional(ruleFields.on),
  accounts: optional(v.nullable(ruleFields.accounts), '`null`: of all accounts'),
  when: optional(v.nullable(ruleFields.when), '`null`: always'),
  timeZone: v.exactOptional(ruleFields.timeZone),
  order: v.exactOptional(ruleFields.order),
  stop: v.exactOptional(ruleFields.stop),
  do: optional(ruleFields.do, 'All of them. A header of a call without a value keeps the one that it had'),
  guard: optional(ruleFields.guard, 'Whole: what is left out of it gets its default'),
});

// `try`, `muted`, `fields` and `recipes` come first: they are no ids.
export const ruleRoutes = [
  route('POST /api/rules', {
    summary: 'Make a rule: when this comes in, do that',
    description:
      'Try it first with `POST /api/rules/try`. A rule that answers is kept from talking to itself, to a machine and over a person. A workspace has 200 rules at most.',
    body: NewRule,
    example: EXAMPLE,
    answers: { 201: { description: 'The rule', schema: RuleWithSecret } },
    run: async ({ body }, { ports, workspace, origins }) => {
      const made = await createRule(ports, workspace, body, origins);
      if ('issues' in made) return invalid(made.issues);
      return json(201, { ...shown(made.rule), ...(made.secret !== undefined && { secret: made.secret }) });
    },
  }),
  route('GET /api/rules', {
    summary: 'List rules, in the order in which they are asked',
    description: 'All of them: there are 200 at most. `paused` says since when, and why, none of them sends.',
    query: strictObject({ last24h: flag('Whether each says how much it did in the last 24 hours, as `last24h`') }),
    answers: {
      200: { description: 'All', schema: v.object({ ...listOf(ShownRule).entries, paused: v.exactOptional(Paused) }) },
    },
    run: async ({ query: { last24h } }, { ports: { store, clock }, workspace }) => {
      const [{ items: rules, damaged }, paused] = await Promise.all([
        listRules(store, workspace),
        pausedOf(store, workspace),
      ]);
      const runs = last24h ? await runsOfDay(store, rules, clock.now()) : [];
      const items = rules.map((rule, i) => ({ ...shown(rule), ...known({ last24h: runs[i] }) }));
      return json(200, { ...wholeList({ items, damaged }), ...(paused && { paused }) });
    },
  }),
  route('POST /api/rules/try', {
    summary: 'Try a rule on what has come in',
    description:
      'Each comparison with what it found, the verdict of the guard, and the messages as they would go out. Nothing is sent.',
    body: strictObject({
      rule: NewRule,
      eventIds: v.exactOptional(v.pipe(v.array(Id), v.minLength(1), v.maxLength(50))),
      last: optional(
        v.pipe(Whole, v.minValue(1), v.maxValue(50)),
        'On so many of the newest events, if no ids are given',
      ),
    }),
    example: { rule: EXAMPLE, last: 10 },
    answers: { 200: { description: 'Event by event', schema: allOf(Trial) } },
    run: async ({ body }, { ports, workspace, origins }) => {
      const tried = await tryRule(ports, workspace, body.rule, origins, body);
      if (!tried.issues) return json(200, { items: tried.items });
      return invalid(tried.issues.map(({ path, message }) => ({ path: `rule.${path}`, message })));
    },
  }),
  route('GET /api/rules/muted', {
    summary: 'List the chats that are muted',
    description:
      'A machine seems to answer there: no rule answers it for a day. Each with the title or number of the chat.',
    answers: { 200: { description: 'All', schema: allOf(Muted) } },
    run: async (_input, { ports, workspace }) => json(200, { items: await listMuted(ports, workspace) }),
  }),
  route('DELETE /api/rules/muted', {
    summary: 'Let rules answer a chat again',
    description: 'Rules answer it from the next message on.',
    query: strictObject({ chat: v.pipe(Id, v.description('The id of the chat')) }),
    answers: { 204: { description: 'They may' } },
    run: async ({ query }, { ports, workspace }) =>
      (await unmute(ports, workspace, query.chat)) ? EMPTY : problem(404, 'No such chat is muted in this workspace'),
  }),
  route('POST /api/rules/resume', {
    summary: 'Let the rules of the workspace send again',
    description: 'They pause by themselves after 60 messages in a minute.',
    answers: { 204: { description: 'They do' } },
    run: async (_input, { ports, workspace }) =>
      (await resumeRules(ports, workspace)) ? EMPTY : problem(404, 'The rules of this workspace do not pause'),
  }),
  route('GET /api/rules/fields', {
    summary: 'List the short names that conditions can ask for',
    description: 'Beside them, any path of an event, as `message.content.file.size`.',
    answers: {
      200: {
        description: 'All',
        schema: allOf(text('As `sender.phone`')),
      },
    },
    run: async () => json(200, { items: SHORT_FIELDS }),
  }),
  route('GET /api/rules/recipes', {
    summary: 'List rules to begin with',
    description: 'Each is whole but for what `fill` names, and switched off. Fill it in, try it, and make it.',
    answers: { 200: { description: 'All', schema: allOf(Recipe) } },
    run: async () => json(200, { items: RECIPES }),
  }),
  route('GET /api/rules/{id}', {
    summary: 'Show a rule',
    description: 'As it was written; headers of calls are shown without their values.',
    answers: { 200: { description: 'The rule', schema: ShownRule } },
    run: async ({ params }, { ports, workspace }) => {
      const rule = await findRule(ports.store, workspace, params.id);
      if (!rule) return NO_RULE;
      const since = await callsFailingSince(ports.store, rule);
      return json(200, { ...shown(rule), ...(since !== undefined && { callsFailingSince: toIso(since) }) });
    },
  }),
  route('PUT /api/rules/{id}', {
    summary: 'Write a rule anew',
    description: 'What is left out gets its default. It counts for what is stored from then on.',
    body: NewRule,
    example: EXAMPLE,
    answers: { 200: { description: 'The rule', schema: RuleWithSecret } },
    run: async ({ params, body }, { ports, workspace, origins }) =>
      replied(await replaceRule(ports, workspace, params.id, () => body, origins)),
  }),
  route('PATCH /api/rules/{id}', {
    summary: 'Change a rule, or switch it on or off',
    description:
      'What is left out stays as it is. Whatever is changed, earlier failures are forgotten. One that is switched off takes on nothing new; calls and mails that wait are made all the same.',
    body: Patch,
    example: { enabled: true },
    answers: { 200: { description: 'The rule', schema: RuleWithSecret } },
    run: async ({ params, body }, { ports, workspace, origins }) => {
      const { accounts, when, ...changes } = body;
      const changed = (rule: Rule) => {
        const { accounts: hadAccounts, when: hadWhen, ...others } = writtenOf(rule);
        return {
          ...{ ...others, ...changes },
          ...known({ accounts: accounts === undefined ? hadAccounts : (accounts ?? undefined) }),
          ...known({ when: when === undefined ? hadWhen : (when ?? undefined) }),
        };
      };
      return replied(await replaceRule(ports, workspace, params.id, changed, origins));
    },
  }),
  route('DELETE /api/rules/{id}', {
    summary: 'Delete a rule',
    description: 'What it has accepted for sending goes out all the same; calls that wait are not made.',
    answers: { 204: { description: 'Deleted' } },
    run: async ({ params }, { ports, workspace }) =>
      (await deleteRule(ports, workspace, params.id)) ? EMPTY : NO_RULE,
  }),
  route('GET /api/rules/{id}/runs', {
    summary: 'List what a rule did, newest first',
    description: 'Events that matched, kept for 30 days.',
    query: Paging('runs'),
    answers: { 200: { description: 'A page', schema: listOf(Run) } },
    run: async ({ params, query }, { ports, workspace }) => {
      const rule = await findRule(ports.store, workspace, params.id);
      return rule ? json(200, await listRuns(ports.store, rule.id, pageRequest(query))) : NO_RULE;
    },
  }),
];
