import * as v from 'valibot';
import { HEALTHY, type Health } from '#lib/domain/reaction/delivery.ts';
import { checked, known } from '#lib/domain/schema.ts';
import { itemReader } from '#lib/store/items.ts';
import { dueListOf, dueSortKey, healthKey } from '#lib/store/keys.ts';
import { type Change, type Condition, type Item, type Store, set, setOrRemove, unchanged } from '#lib/store/store.ts';
import { CALLS_KEPT_SECONDS } from './delivery.ts';

export const healthEntries = {
  state: v.picklist(['active', 'failing', 'disabled']),
  failures: v.number(),
  failingSince: v.exactOptional(v.number()),
  probes: v.exactOptional(v.number()),
  probeAt: v.exactOptional(v.number()),
  drainingSince: v.exactOptional(v.number()),
  drainAt: v.exactOptional(v.number()),
  disabledBecause: v.exactOptional(v.picklist(['gone', 'failing', 'asked'])),
  slowAt: v.exactOptional(v.number()),
  busy: v.exactOptional(v.pipe(v.array(v.number()), v.readonly())),
};

const Stated = v.object(healthEntries);

const Stored = v.object({
  id: v.string(),
  workspace: v.string(),
  ratePerSecond: v.exactOptional(v.number()),
  ...healthEntries,
});
/** Who is called, and spared while it fails: an endpoint, or the URLs of one rule together. */
export interface Callee extends v.InferOutput<typeof Stored> {
  /** A rule whose calls went well so far has no item. */
  readonly isUnwritten?: boolean;
}
export const readCallee: (item: Item) => Callee = itemReader(Stored);

/** How a callee is, and nothing else of it. */
export const healthOf = (callee: Callee): Health =>
  checked(Stated, callee, () => `the health of ${callee.id} is damaged`);

/** How the URLs are that a rule calls. */
export async function calleeOfRule(store: Store, workspace: string, rule: string): Promise<Callee> {
  const item = await store.get(healthKey(workspace, rule), { consistent: true });
  return item ? readCallee(item) : { id: rule, workspace, isUnwritten: true, ...HEALTHY };
}

/** The watchdog asks one that fails, and goes on draining one, should its own task be lost. */
export function dueAttributes({ id, probeAt, drainAt }: Pick<Callee, 'id' | 'probeAt' | 'drainAt'>) {
  const at = probeAt ?? drainAt;
  return at === undefined ? {} : { gsi3pk: dueListOf('endpoint', id), gsi3sk: dueSortKey(at, id) };
}

/** An item as it was read: whoever changes its health sees what another call has made of it meanwhile. */
export const healthAsRead = ({ state, failures, probeAt, drainingSince, drainAt, slowAt, busy }: Callee): Condition =>
  unchanged({ state, failures, probeAt, drainingSince, drainAt, slowAt, busy });

/** What makes an item say how it is by now. */
export function healthChanges(id: string, health: Health): readonly Change[] {
  const due = dueAttributes({ id, ...known({ probeAt: health.probeAt, drainAt: health.drainAt }) });
  return [
    ...v.keyof(Stated).options.map((name) => setOrRemove(name, health[name])),
    ...(['gsi3pk', 'gsi3sk'] as const).map((name) => setOrRemove(name, 'gsi3pk' in due ? due[name] : undefined)),
  ];
}

/** What the item of a rule's calls holds beside. */
export const ofRule = (id: string, workspace: string, now: number): readonly Change[] => [
  ...[set('id', id), set('workspace', workspace)],
  set('expiresAt', Math.floor(now / 1000) + CALLS_KEPT_SECONDS),
];
