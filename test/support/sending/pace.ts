import type { Call } from '../providers/green-api-process.ts';
import type { Accepted, FleetAccount } from './fleet.ts';
import type { Gate } from './gate-watch.ts';

/** A call whose end was seen. */
type EndedCall = Call & { readonly endedAt: number };

/** How the messages of one account went out. Times in milliseconds. */
export interface AccountPace {
  readonly gaps: readonly number[];
  /** How much longer than drawn each of them was. */
  readonly delays: readonly number[];
  /** From the start of its first call to the end of its last one. */
  readonly took: number;
  /** What that could have taken: its calls, and the gaps as they were drawn. */
  readonly ideal: number;
  /** From the answer to its first message to the call of it. */
  readonly firstAfter: number;
  readonly outOfOrder: number;
}

/** The longest gap that is drawn, milliseconds: what the hub waits beyond it is a delay of its own. */
const LONGEST = 2_400;
/** Fractions of a millisecond are lost on the way. */
const ROUNDING = 2;

export function paceOf(
  account: FleetAccount,
  accepted: readonly Accepted[],
  calls: readonly Call[],
  gates: readonly Gate[],
): AccountPace {
  const own = accepted.filter((message) => message.account === account);
  const made = calls.filter((call) => call.instance === account.instance).map(ended);
  const [first, last] = [made[0], made.at(-1)];
  if (!first || !last || !own[0]) throw new Error(`nothing was sent by ${account.id}`);
  const drawn = made.slice(1).map((next, index) => drawnBetween(made[index] ?? next, next, gates));
  const calling = made.map((call) => call.endedAt - call.startedAt);
  const gaps = made.slice(1).map((call, index) => call.startedAt - (made[index]?.endedAt ?? Number.NaN));
  return {
    gaps,
    delays: gaps.map((gap, index) => gap - (drawn[index] ?? Number.NaN)),
    took: last.endedAt - first.startedAt,
    ideal: sum(drawn) + sum(calling),
    firstAfter: first.startedAt - own[0].answeredAt,
    outOfOrder: own.filter((message, index) => made[index]?.text !== message.text).length,
  };
}

function ended(call: Call): EndedCall {
  if (call.endedAt === undefined) throw new Error(`the call of ${call.text} has no end`);
  return { ...call, endedAt: call.endedAt };
}

function drawnBetween({ text, endedAt }: EndedCall, next: EndedCall, gates: readonly Gate[]): number {
  const between = gates.filter(({ seenAt }) => seenAt > endedAt && seenAt < next.startedAt);
  // Until the outcome is written, and from the intent on, the gate is far away.
  const gate = between.find(({ opensAt }) => opensAt <= next.startedAt + ROUNDING);
  if (gate === undefined) throw new Error(`nobody saw which gap was drawn after ${text}`);
  return Math.min(LONGEST, gate.opensAt - endedAt);
}

export const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
export const mean = (values: readonly number[]): number => sum(values) / values.length;

/** How far values are from their mean, as the root of the mean square. */
export function spread(values: readonly number[]): number {
  const middle = mean(values);
  return Math.sqrt(mean(values.map((value) => (value - middle) ** 2)));
}
