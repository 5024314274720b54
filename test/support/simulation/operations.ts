import fc from 'fast-check';
import type { SendOutcome } from '#lib/domain/send/outcome.ts';
import { STATUSES } from '#lib/domain/send/part.ts';
import { cancel, resend } from '#lib/outbox/cancel.ts';
import type { NewPart } from '#lib/sender/accept.ts';
import { clearHold, hold, pause, resume } from '#lib/sender/account.ts';
import type { Behaviour } from './fake-provider.ts';
import { beginOperators, type OperatorsOperation, operatorsOperation, renew } from './operator.ts';
import type { World } from './world.ts';

export const ACCOUNTS = ['a', 'b', 'c', 'd'] as const;
/** All but `c` share a workspace and its credits; `d` may be deleted. */
export const workspaceOf = (account: string): string => (account === 'c' ? 'other' : 'main');

export type Operation =
  | {
      readonly do: 'send';
      readonly account: string;
      readonly content: 'text' | 'file' | 'both' | 'captioned';
      /** Few words to few people: much is said to somebody more than once. */
      readonly words: number;
      readonly to: number;
      readonly key?: number;
    }
  | { readonly do: 'cancel' | 'resend'; readonly which: number }
  | { readonly do: 'pause' | 'resume' | 'hold' | 'clear'; readonly account: string }
  | { readonly do: 'crash' | 'watch' }
  | { readonly do: 'status'; readonly which: number; readonly status: number }
  | { readonly do: 'echo'; readonly which: number }
  | { readonly do: 'renew'; readonly account: string; readonly line: number }
  | { readonly do: 'away'; readonly ms: number }
  | OperatorsOperation
  | { readonly do: 'wait'; readonly ms: number };

const account = fc.constantFrom(...ACCOUNTS);
const which = fc.nat(1_000);

export const operation: fc.Arbitrary<Operation> = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.record(
      {
        do: fc.constant('send' as const),
        account,
        content: fc.constantFrom(
          'text' as const,
          'text' as const,
          'file' as const,
          'both' as const,
          'captioned' as const,
        ),
        words: fc.nat(2),
        to: fc.nat(2),
        key: fc.nat(3),
      },
      { requiredKeys: ['do', 'account', 'content', 'words', 'to'] },
    ),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('cancel' as const, 'resend' as const), which }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constantFrom('pause' as const, 'resume' as const, 'resume' as const, 'hold' as const, 'clear' as const),
      account,
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('crash' as const, 'watch' as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('status' as const), which, status: fc.nat(3) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('echo' as const), which }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('renew' as const), account, line: fc.nat(2) }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('away' as const), ms: fc.oneof(fc.nat(3_000), fc.nat(60_000)) }),
  },
  // Of an account of its own: the others must go on.
  { weight: 5, arbitrary: operatorsOperation(fc.constant('d')) },
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.oneof(fc.nat(50), fc.nat(3_000), fc.nat(90_000)) }),
  },
);

/** Nobody whom anybody writes to by a number. */
const HIDDEN = '190000000000042@lid';

type Sending = Extract<Operation, { do: 'send' }>;

function partsOf({ content, words }: Sending): readonly [NewPart] | readonly [NewPart, NewPart] {
  const text = { kind: 'text', text: `hello ${words}` } as const;
  const file = { kind: 'file', url: `https://files.test/${words}.pdf`, name: `${words}.pdf` } as const;
  // Some providers take the text as the file's caption.
  if (content === 'captioned') return [{ ...file, caption: text.text, credits: 2 }];
  if (content === 'both') return [file, text];
  return content === 'text' ? [text] : [file];
}

/** Begins an operation; what it leads to happens as the world goes on. */
export function begin(world: World, operation: Operation): Promise<unknown> {
  switch (operation.do) {
    case 'send':
      return beginSend(world, operation);
    case 'cancel':
    case 'resend':
      return beginChange(world, operation);
    case 'pause':
    case 'resume':
    case 'hold':
    case 'clear':
      return beginSwitch(world, operation);
    case 'crash':
      world.crash();
      return Promise.resolve();
    case 'watch':
      return world.watch();
    case 'status':
    case 'echo':
      return tellOf(world, operation);
    case 'renew':
      return renew(world, operation.account, operation.line);
    case 'away':
      world.awayUntil = Math.max(world.awayUntil, world.now + operation.ms);
      return Promise.resolve();
    case 'wait':
      return Promise.resolve();
    default:
      return beginOperators(world, operation);
  }
}

function beginSend(world: World, operation: Sending) {
  const { account, content, key, to } = operation;
  const parts = partsOf(operation);
  const person = to < 2 ? { phone: `+1415123000${to}` } : { jid: HIDDEN };
  if (key === undefined) return world.send(account, { parts, recipient: person });
  const idempotency = { webhook: 'w', key: `${account}${key}`, requestHash: `${account} ${content}` };
  return world.send(account, { parts, idempotency, recipient: { ...person, key: `${account}${key}` } });
}

function beginChange(world: World, { do: what, which }: Extract<Operation, { do: 'cancel' | 'resend' }>) {
  const acceptances = world.invariants.acceptances;
  const one = acceptances[which % Math.max(1, acceptances.length)];
  if (!one) return Promise.resolve();
  const workspace = workspaceOf(one.account);
  return world.spawn<unknown>(what, workspace, (ports) =>
    what === 'cancel'
      ? cancel(ports, workspace, one.messageId, world.config)
      : resend(ports, workspace, one.messageId, world.config),
  );
}

function beginSwitch(world: World, { do: what, account }: { readonly do: string; readonly account: string }) {
  return world.spawn<unknown>(what, workspaceOf(account), (ports) => {
    if (what === 'pause') return pause(ports, account, 'a test', world.config);
    if (what === 'resume') return resume(ports, account, world.config);
    if (what === 'hold') return hold(ports, account, 'a test', world.config);
    return clearHold(ports, account, world.config);
  });
}

async function tellOf(world: World, operation: Extract<Operation, { do: 'status' | 'echo' }>): Promise<void> {
  const taken = world.provider.taken[operation.which % Math.max(1, world.provider.taken.length)];
  if (!taken) return;
  if (operation.do === 'echo') return world.echo(taken);
  const status = STATUSES[operation.status];
  if (status) world.status(taken, status);
}

const OUTCOMES: readonly SendOutcome[] = [
  { kind: 'rejected', reason: 'no such number' },
  { kind: 'retry', reason: 'throttled' },
  { kind: 'retry', reason: 'no connection: dns', holdAfter: 5 },
  { kind: 'hold', reason: 'logged out' },
  { kind: 'unknown', reason: 'reset' },
  { kind: 'unknown', reason: 'http 500', providerId: '' },
];

/** Mostly well, now and then each way in which a provider can answer. Takes messages only where its answer allows it. */
export function moody(world: World, trouble: number): () => Behaviour {
  const { seeded } = world;
  return () => {
    const troubled = seeded.chance(trouble);
    const outcome: SendOutcome = troubled ? seeded.pick(OUTCOMES) : { kind: 'accepted', providerId: '' };
    const takes = outcome.kind === 'accepted' || (outcome.kind === 'unknown' && seeded.chance(0.5));
    const latencyMs = seeded.chance(0.05) ? seeded.between(5_000, 25_000) : seeded.between(30, 900);
    const late = latencyMs > world.config.callMs;
    const statuses = seeded.chance(0.5)
      ? [
          { status: 'sent' as const, afterMs: seeded.between(0, 500) },
          { status: seeded.pick(['delivered', 'failed'] as const), afterMs: seeded.between(0, 3_000) },
          { status: 'read' as const, afterMs: seeded.between(0, 6_000) },
        ]
      : [];
    return {
      outcome,
      takes: takes && !(late && outcome.kind !== 'accepted' && outcome.kind !== 'unknown'),
      latencyMs,
      statuses,
      echoes: seeded.chance(0.7) ? echoesOf(world) : [],
    };
  };
}

/** Before the answer is written or long after it, and sometimes twice. */
function echoesOf({ seeded }: World): number[] {
  const one = () => seeded.between(0, seeded.pick([50, 1_000, 60_000, 600_000]));
  return seeded.chance(0.3) ? [one(), one()] : [one()];
}
