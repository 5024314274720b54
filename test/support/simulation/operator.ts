import fc from 'fast-check';
import { audit } from '#lib/credits/audit.ts';
import { grant, setQuota } from '#lib/credits/credits.ts';
import type { QuotaKind } from '#lib/domain/send/part.ts';
import { emptySend, NONE } from '#lib/privacy/erase.ts';
import { deleteAccount } from '#lib/sender/account.ts';
import { del } from '#lib/store/store.ts';
import { directoryKey } from '#lib/tenants/directory.ts';
import type { World } from './world.ts';

/** What whoever runs the hub does while messages go out. */
export type OperatorsOperation =
  | { readonly do: 'grant' | 'audit'; readonly workspace: string }
  | { readonly do: 'quota'; readonly workspace: string; readonly quota: QuotaKind }
  | { readonly do: 'delete'; readonly account: string }
  | { readonly do: 'erase'; readonly which: number };

const workspace = fc.constantFrom('main', 'other');

export const operatorsOperation = (account: fc.Arbitrary<string>): fc.Arbitrary<OperatorsOperation> =>
  fc.oneof(
    { weight: 3, arbitrary: fc.record({ do: fc.constant('grant' as const), workspace }) },
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
  );

/** So short that most audits take several calls, with everything else going on between them. */
const AUDIT_MS = 400;

export function beginOperators(world: World, operation: OperatorsOperation): Promise<unknown> {
  switch (operation.do) {
    case 'grant':
      return world.spawn('grant', operation.workspace, (ports) =>
        grant(ports, operation.workspace, { credits: 3, reason: 'bought' }, world.config),
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
  }
}

/** However much moves meanwhile: a difference that an audit finds is one. */
async function auditPiece(world: World, workspace: string): Promise<void> {
  const { differences } = await world.spawn('audit', workspace, (ports) => audit(ports, workspace, AUDIT_MS));
  if (differences.length > 0) world.invariants.violate(`the audit found ${differences.join('; ')}`);
}

function deleteOne(world: World, account: string): Promise<unknown> {
  const workspace = world.workspaceOf(account);
  const entry = del(directoryKey(workspace, 'ACCOUNT', account));
  return world.spawn('delete', workspace, (ports) => deleteAccount(ports, account, () => [entry], world.config));
}

/** A message is emptied, as by the erasure of a person or by a retention. */
async function eraseOne(world: World, which: number): Promise<void> {
  const { acceptances } = world.invariants;
  const one = acceptances[which % Math.max(1, acceptances.length)];
  if (!one) return;
  const workspace = world.workspaceOf(one.account);
  await world.spawn('erase', workspace, ({ store, clock }) =>
    emptySend(
      {
        ...{ store, workspace, counts: { ...NONE }, left: [] },
        ...{ log: { info: () => undefined, warn: () => undefined, error: () => undefined } },
        ...{ mentions: () => false, mentionsOrFounded: () => false, isTimeUp: () => false },
        nowSeconds: Math.floor(clock.now() / 1000),
      },
      one.messageId,
    ),
  );
}
