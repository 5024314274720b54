import fc from 'fast-check';
import * as v from 'valibot';
import { audit } from '#lib/credits/audit.ts';
import { grant, setQuota } from '#lib/credits/credits.ts';
import type { QuotaKind } from '#lib/domain/send/part.ts';
import { emptySend, NONE } from '#lib/privacy/forget.ts';
import { applyNightly, applyRetention } from '#lib/privacy/retention.ts';
import type { StorePorts } from '#lib/store/retry.ts';
import { deleteAccount, findAccount, patchAccount } from '#lib/tenants/accounts.ts';
import { createWebhook, patchWebhook, rotateWebhook } from '#lib/tenants/webhooks.ts';
import { patchWorkspace, wholeDirectory } from '#lib/tenants/workspaces.ts';
import type { World } from './world.ts';

/** What whoever runs the hub does while messages go out. */
export type OperatorsOperation =
  | { readonly do: 'audit'; readonly workspace: string }
  /** Below zero: a correction. */
  | { readonly do: 'grant'; readonly workspace: string; readonly credits: number }
  | { readonly do: 'quota'; readonly workspace: string; readonly quota: QuotaKind }
  | { readonly do: 'delete'; readonly account: string }
  | { readonly do: 'rotate' }
  | { readonly do: 'switch'; readonly enabled: boolean }
  | { readonly do: 'retain'; readonly days: 30 | 60 | null | undefined }
  | { readonly do: 'erase'; readonly which: number };

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

const workspace = fc.constantFrom('main', 'other');

export const operatorsOperation = (account: fc.Arbitrary<string>): fc.Arbitrary<OperatorsOperation> =>
  fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({ do: fc.constant('grant' as const), workspace, credits: fc.constantFrom(3, 3, -2) }),
    },
    { weight: 4, arbitrary: fc.record({ do: fc.constant('audit' as const), workspace }) },
    {
      weight: 3,
      arbitrary: fc.record({
        do: fc.constant('quota' as const),
        workspace,
        quota: fc.oneof(
          fc.constant({ kind: 'prepaid' as const }),
          fc.record({ kind: fc.constant('monthly' as const), credits: fc.constantFrom(0, 2, 5, 9) }),
        ),
      }),
    },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('delete' as const), account }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('erase' as const), which: fc.nat(1_000) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('rotate' as const) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('switch' as const), enabled: fc.boolean() }) },
    {
      weight: 2,
      arbitrary: fc.record({
        do: fc.constant('retain' as const),
        days: fc.constantFrom(30 as const, 30 as const, 60 as const, null, undefined),
      }),
    },
  );

/** So short that most audits take several calls, with everything else going on between them. */
const AUDIT_MS = 400;

export function beginOperators(world: World, operation: OperatorsOperation): Promise<unknown> {
  switch (operation.do) {
    case 'grant':
      return world.spawn('grant', operation.workspace, (ports) =>
        grant(ports, operation.workspace, { credits: operation.credits, reason: 'bought' }, world.config),
      );
    case 'quota':
      return world.spawn('quota', operation.workspace, (ports) =>
        setQuota(ports, operation.workspace, operation.quota, world.config),
      );
    case 'audit':
      return auditPiece(world, operation.workspace);
    case 'delete':
      return deleteOne(world, operation.account);
    case 'erase':
      return eraseOne(world, operation.which);
    case 'rotate':
      return world.spawn('rotate', 'main', (ports) => onWebhook(ports, (id) => rotateWebhook(ports, 'main', id)));
    case 'switch':
      return world.spawn('switch', 'main', (ports) =>
        onWebhook(ports, (id) => patchWebhook(ports, 'main', id, { enabled: operation.enabled })),
      );
    case 'retain':
      return retain(world, operation.days);
  }
}

/** The webhook of account `a`, as it comes into the world. */
export async function addWebhook(world: World): Promise<void> {
  await createWebhook(world.honest(), 'main', { kind: 'receive', provider: 'fake', accountId: 'a' });
}

async function onWebhook<Result>({ store }: Pick<StorePorts, 'store'>, work: (id: string) => Promise<Result>) {
  const [entry] = await wholeDirectory(store, 'main', 'WEBHOOK');
  return entry && work(entry.sk.slice('WEBHOOK#'.length));
}

/** A provider whose accounts have lines of their own. */
const lined = {
  name: 'fake',
  channels: ['whatsapp'],
  canSend: true,
  credentials: () => v.unknown(),
  instanceOf: (credentials: unknown) => v.parse(v.object({ instance: v.string() }), credentials).instance,
} as const;

/** The account gets other credentials: of the same line, of another, or of one that it shares with its neighbours. */
export async function renew(world: World, account: string, line: number): Promise<unknown> {
  const workspace = world.workspaceOf(account);
  const credentials = { instance: line === 2 ? 'shared' : `${account}-${line}` };
  return world.spawn('renew', workspace, async (ports) => {
    const found = await findAccount(ports.store, workspace, account);
    return found && patchAccount({ ...ports, secrets: world.secrets }, found, lined, { credentials });
  });
}

/** As if a month had gone by since all but the last minutes: what is settled and older is emptied. */
async function retain(world: World, days: number | null | undefined): Promise<void> {
  const later = 30 * DAY - 2 * MINUTE;
  await world.spawn('retain', 'main', async ({ clock, ...ports }) => {
    if (days !== undefined) await patchWorkspace(ports.store, 'main', { retentionDays: days });
    const shifted = { ...clock, now: () => clock.now() + later };
    const { next } = await applyRetention({ ...ports, clock: shifted }, 'main', world.retaining);
    world.retaining = next;
  });
  await world.spawn('night', undefined, async ({ clock, ...ports }) => {
    const shifted = { ...clock, now: () => clock.now() + later };
    const failed = await applyNightly({ ...ports, clock: shifted }, clock.monotonic() + MINUTE);
    if (failed.length > 0) throw new AggregateError(failed);
  });
}

/** However much moves meanwhile: a difference that an audit finds is one. */
async function auditPiece(world: World, workspace: string): Promise<void> {
  const { differences } = await world.spawn('audit', workspace, (ports) => audit(ports, workspace, AUDIT_MS));
  if (differences.length > 0) world.invariants.violate(`the audit found ${differences.join('; ')}`);
}

function deleteOne(world: World, account: string): Promise<unknown> {
  const workspace = world.workspaceOf(account);
  return world.spawn('delete', workspace, (ports) => deleteAccount(ports, account, world.config));
}

/** A message is emptied, as by the erasure of a person or by a retention. */
async function eraseOne(world: World, which: number): Promise<void> {
  const { acceptances } = world.invariants;
  const one = acceptances[which % Math.max(1, acceptances.length)];
  if (!one) return;
  const workspace = world.workspaceOf(one.account);
  await world.spawn('erase', workspace, ({ store, clock, random, log }) =>
    emptySend(
      {
        ...{ store, workspace, counts: { ...NONE }, left: [], names: [] },
        ...{ log, random },
        ...{ mentions: () => false, mentionsOrFounded: () => false, isTimeUp: () => false },
        nowSeconds: Math.floor(clock.now() / 1000),
      },
      one.messageId,
    ),
  );
}
