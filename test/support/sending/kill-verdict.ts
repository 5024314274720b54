import type { Call } from '../providers/green-api-process.ts';
import type { Accepted, FleetAccount } from './fleet.ts';

/** No two calls of an account are nearer than this, whatever happens. Milliseconds. */
const SHORTEST_GAP = 1_500;

/** What must not be after a run with crashes: a message lost, sent twice, out of order, or too soon after another. */
export function faultsOf(
  accounts: readonly FleetAccount[],
  accepted: readonly Accepted[],
  calls: readonly Call[],
  states: ReadonlyMap<string, string>,
): string[] {
  const surplus = states.size - accepted.length;
  return [
    ...(surplus === 0 ? [] : [`there are ${states.size} messages where ${accepted.length} were accepted`]),
    ...accepted.flatMap((message) => faultsOfMessage(message, calls, states.get(message.messageId))),
    ...accounts.flatMap((account) => faultsOfAccount(account, accepted, calls)),
  ];
}

function faultsOfMessage({ text }: Accepted, calls: readonly Call[], state: string | undefined): string[] {
  const times = calls.filter((call) => call.text === text).length;
  const isRight = state === 'unknown' ? times <= 1 : state === 'sent' && times === 1;
  return isRight ? [] : [`${text} is ${state ?? 'gone'} and was called ${times} times`];
}

function faultsOfAccount(account: FleetAccount, accepted: readonly Accepted[], calls: readonly Call[]): string[] {
  const order = accepted.filter((message) => message.account === account).map(({ text }) => text);
  const made = calls.filter(({ instance }) => instance === account.instance);
  return made.slice(1).flatMap((call, index) => {
    const before = made[index] ?? call;
    // A call that nobody waited for to the end counts from its start.
    const gap = call.startedAt - (before.endedAt ?? before.startedAt);
    return [
      ...(order.indexOf(call.text) > order.indexOf(before.text) ? [] : [`${call.text} came after ${before.text}`]),
      ...(gap >= SHORTEST_GAP ? [] : [`${call.text} came ${gap.toFixed(0)} ms after the one before it`]),
    ];
  });
}
