import { setTimeout as sleep } from 'node:timers/promises';
import { allSends, audit, type HubApi } from '../hub-api.ts';
import { MortalHub } from '../mortal-hub.ts';
import { type Call, GreenApiProcess } from '../providers/green-api-process.ts';
import { type Accepted, connectFleet, type Fleet, postAll } from './fleet.ts';
import { faultsOf } from './kill-verdict.ts';

export interface KillPlan {
  /** The folder that outlives the crashes. */
  readonly data: string;
  /** The times of the protocol, in the variables that `npm start` takes. */
  readonly times: Readonly<Record<string, string>>;
  readonly accounts: number;
  readonly each: number;
  readonly pacing: { readonly minMs: number; readonly maxMs: number };
  readonly kills: readonly Kill[];
  readonly seed: number;
  /** How long after the last message was accepted everything must have come to rest, milliseconds. */
  readonly timeout: number;
}

export interface Kill {
  /** The hub dies once the provider has taken so many messages, and `delay` milliseconds more have passed. */
  readonly after: number;
  readonly delay: number;
  readonly whom: 'parent' | 'group';
}

export interface KillReport {
  readonly accepted: number;
  readonly calls: number;
  /** Messages of which the hub says that it does not know whether they were sent. */
  readonly unknown: number;
  readonly kills: number;
  readonly faults: readonly string[];
}

/** Sends on many accounts while the hub is killed and started again, and compares what it says with what was called. */
export async function killRun(plan: KillPlan): Promise<KillReport> {
  await using server = await GreenApiProcess.start(plan.seed);
  const hub = new MortalHub({ ...plan.times, HOOKLINE_DATA: plan.data, HOOKLINE_ALLOW_PRIVATE_HOSTS: '1' });
  try {
    const fleet = await connectFleet(await hub.api(), server, plan.accounts, plan.pacing);
    const [accepted, kills] = await Promise.all([
      postAll(hub, fleet, plan.each, 'message'),
      killing(hub, server, plan.kills),
    ]);
    const states = await settledStates(await hub.api(), plan.timeout);
    return await reportOn(await hub.api(), fleet, accepted, await server.calls(), states, kills);
  } finally {
    await hub.end();
  }
}

async function killing(hub: MortalHub, server: GreenApiProcess, kills: readonly Kill[]): Promise<number> {
  for (const { after, delay, whom } of kills) {
    while ((await server.calls()).length < after) await sleep(20);
    await sleep(delay);
    await hub.crash(whom);
  }
  return kills.length;
}

/** What the hub says of each message once none of them waits any more, or when there is no more patience. */
async function settledStates(api: HubApi, timeout: number): Promise<ReadonlyMap<string, string>> {
  for (const giveUpAt = performance.now() + timeout; ; await sleep(250)) {
    const states = new Map<string, string>();
    for await (const { messageId, state } of allSends(api)) states.set(messageId, state);
    const waiting = [...states.values()].some((state) => state === 'queued' || state === 'sending');
    if (!waiting || performance.now() > giveUpAt) return states;
  }
}

async function reportOn(
  api: HubApi,
  { accounts }: Fleet,
  accepted: readonly Accepted[],
  calls: readonly Call[],
  states: ReadonlyMap<string, string>,
  kills: number,
): Promise<KillReport> {
  const { ok, differences } = await audit(api);
  return {
    accepted: accepted.length,
    calls: calls.length,
    unknown: [...states.values()].filter((state) => state === 'unknown').length,
    kills,
    faults: [
      ...faultsOf(accounts, accepted, calls, states),
      ...(ok ? [] : [`the credits do not add up: ${JSON.stringify(differences)}`]),
    ],
  };
}
