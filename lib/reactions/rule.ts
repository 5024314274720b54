import * as v from 'valibot';
import { NewRule } from '#lib/domain/reaction/rule.ts';
import { Instant, known, optional, tally } from '#lib/domain/schema.ts';
import { itemReader } from '#lib/store/items.ts';
import { RUN_PREFIX, ruleKey, runPartition } from '#lib/store/keys.ts';
import { beginningWith, type ListPage, newestPage, ofLastDay, type PageRequest, pageOf } from '#lib/store/query.ts';
import type { Item, Store } from '#lib/store/store.ts';

const Stored = v.object({
  id: v.string(),
  workspace: v.string(),
  /** The rule as it was written, as JSON: it was checked when it was written. Headers of calls are in SSM. */
  rule: v.pipe(v.string(), v.parseJson(), NewRule),
  /** Of what signs the calls of the rule. */
  secretVersion: v.exactOptional(v.number()),
  /** Runs that failed, in a row. */
  failures: v.number(),
  disabledBecause: v.exactOptional(v.string()),
  createdAt: v.string(),
  updatedAt: v.string(),
});
type Stored = v.InferOutput<typeof Stored>;
const readStored = itemReader(Stored);

export interface Rule extends NewRule, Omit<Stored, 'rule'> {}

export function readRule(item: Item): Rule {
  const { rule, ...kept } = readStored(item);
  return { ...rule, ...kept };
}

/** The rule as it was written. */
export const writtenOf = (rule: Rule): NewRule => split(rule).written;

function split({ id, workspace, secretVersion, failures, disabledBecause, createdAt, updatedAt, ...written }: Rule) {
  const kept = { id, workspace, failures, createdAt, updatedAt, ...known({ secretVersion, disabledBecause }) };
  return { kept, written };
}

export function ruleItem(rule: Rule): Item {
  const { kept, written } = split(rule);
  return { ...ruleKey(rule.workspace, rule.id), ...kept, rule: JSON.stringify(written) };
}

/** By `order`, and among equals the older one first. */
export const inOrder = (rules: readonly Rule[]): readonly Rule[] =>
  rules.toSorted((a, b) => a.order - b.order || (a.id < b.id ? -1 : 1));

const RESULTS = ['done', 'guarded', 'refused', 'failed'] as const;

export const ActionResult = v.object({
  action: v.string(),
  result: v.picklist(RESULTS),
  send: optional(v.string(), 'The send that was accepted'),
  delivery: optional(v.string(), 'What is delivered: `GET /api/deliveries/{id}` shows it from its first attempt on'),
  why: v.exactOptional(v.string()),
});
export type ActionResult = v.InferOutput<typeof ActionResult>;
export const Run = v.object({
  event: v.string(),
  at: Instant,
  result: v.pipe(
    v.picklist(RESULTS),
    v.description('`guarded`: it was kept from sending. `refused`: no credits. Of several actions, the worst'),
  ),
  why: optional(v.string(), 'Why nothing was done, where its condition took too long to be decided'),
  actions: v.array(ActionResult),
});
export type Run = v.InferOutput<typeof Run>;
const readRun = itemReader(Run);

/** What a rule did, newest first; kept for 30 days. */
export async function listRuns(store: Store, rule: string, page: PageRequest): Promise<ListPage<Run>> {
  const { entries, position } = await newestPage(store, beginningWith(runPartition(rule), RUN_PREFIX), page);
  return pageOf('runs', entries.map(readRun), position);
}

export const RunsOfDay = v.pipe(
  v.object({
    total: tally('Events that it has run on'),
    failed: tally('Of these, runs that failed'),
    guarded: tally('Of these, runs that were kept from sending'),
    more: v.pipe(v.boolean(), v.description('There were more: these are the newest 200')),
  }),
  v.description('What a rule did with what was stored in the last 24 hours; in a list where it is asked for'),
);

/** How much each rule did in the last 24 hours, in their order: a look at the runs of each, at the same time. */
export const runsOfDay = (store: Store, rules: readonly Rule[], now: number) =>
  Promise.all(
    rules.map(async ({ id }): Promise<v.InferOutput<typeof RunsOfDay>> => {
      const { items, isMore } = await ofLastDay(store, beginningWith(runPartition(id), RUN_PREFIX), now);
      const count = (result: Run['result']) => items.filter((item) => item.result === result).length;
      return { total: items.length, failed: count('failed'), guarded: count('guarded'), more: isMore };
    }),
  );
