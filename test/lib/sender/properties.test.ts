import fc from 'fast-check';
import { expect, test } from 'vitest';
import { audit } from '#lib/credits/audit.ts';
import { at, isIntentOfPart } from '#test/support/simulation/landmarks.ts';
import { ACCOUNTS, begin, moody, type Operation, operation, workspaceOf } from '#test/support/simulation/operations.ts';
import { addWebhook, renew } from '#test/support/simulation/operator.ts';
import { type Faults, noFaults, World } from '#test/support/simulation/world.ts';

const OPERATIONS = Number(process.env.HOOKLINE_TEST_OPERATIONS ?? 2_000);
const PER_RUN = 50;
const SEED = process.env.HOOKLINE_TEST_SEED;

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** Everything can go wrong at once. */
const faults: Faults = {
  conflict: 0.02,
  throttled: 0.01,
  unreachable: 0.005,
  answerLost: 0.02,
  tickLost: 0.05,
  tickDoubled: 0.1,
  tickEarly: 0.1,
  stale: 0.3,
};

/** A quarter of an hour before a month ends, by UTC. */
const START = Date.UTC(2026, 11, 1) - 15 * MINUTE;

async function live(operations: readonly Operation[], seed: number): Promise<World> {
  const world = new World({ seed, start: START, config: { unknownLimitMs: 20 * MINUTE, queueLimit: 12 } });
  for (const account of ACCOUNTS) await world.addAccount(account, workspaceOf(account), 10);
  await addWebhook(world);
  world.faults = faults;
  world.skew = () =>
    world.seeded.chance(0.1) ? world.seeded.between(-1, 1) * world.seeded.pick([500, 5_000, HOUR]) : 0;
  world.watchSkew = world.skew;
  world.zombies = world.seeded.chance(0.5);
  world.provider.behave = moody(world, 0.25);
  world.hiding = 0.3;
  // Its journal lags behind, and does not always answer.
  world.provider.lists = (account, attempted) =>
    world.seeded.chance(0.3) ? [] : world.provider.journal(account, attempted, world.seeded.pick([0, 2 * MINUTE]));
  world.fetch = () => {
    if (world.seeded.chance(0.1)) return { kind: 'refused', reason: 'not a direct download' };
    if (world.seeded.chance(0.2)) return { kind: 'unavailable', reason: 'http 503' };
    return { kind: 'ok', name: 'a.pdf', mimeType: 'application/pdf', bytes: new Uint8Array(1) };
  };
  world.scheduler.accident = (_, point) => {
    if (at(isIntentOfPart, 'before')(point) && world.seeded.chance(0.02)) {
      for (const account of ACCOUNTS) world.begin(renew(world, account, world.seeded.below(3)));
      return { stallMs: 200 };
    }
    if (world.seeded.chance(0.01)) return 'kill';
    if (world.seeded.chance(0.006)) return { stallMs: world.seeded.between(500, 80_000) };
    return undefined;
  };
  for (const each of operations) {
    world.begin(begin(world, each));
    await world.run(each.do === 'wait' ? each.ms : world.seeded.between(0, 400));
  }
  return world;
}

/** No more faults, no more blocks: what was accepted must now come to an end. */
async function heal(world: World): Promise<void> {
  world.faults = noFaults;
  world.awayUntil = 0;
  world.skew = () => 0;
  world.watchSkew = () => 0;
  world.scheduler.accident = () => undefined;
  world.provider.behave = moody(world, 0);
  world.fetch = (url) => ({ kind: 'ok', name: url, mimeType: 'text/plain', bytes: new Uint8Array(1) });
  world.begin(renew(world, 'a', 0));
  await world.run(8 * MINUTE);
  for (const account of ACCOUNTS) world.begin(begin(world, { do: 'resume', account }));
  await world.run(24 * MINUTE);
  world.invariants.atRest();
  for (const workspace of new Set(ACCOUNTS.map(workspaceOf))) {
    const { differences, complete } = await audit(world.honest(), workspace);
    if (differences.length > 0 || !complete) world.invariants.violate(`in the end: ${differences.join('; ')}`);
  }
}

test(`every promise holds through ${OPERATIONS} random operations`, {
  timeout: Math.max(600_000, OPERATIONS * 60),
}, async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(operation, { minLength: PER_RUN, maxLength: PER_RUN }),
      fc.nat(),
      async (operations, seed) => {
        const world = await live(operations, seed);
        await heal(world);
        expect(world.invariants.violations.slice(0, 3)).toEqual([]);
      },
    ),
    {
      numRuns: Math.ceil(OPERATIONS / PER_RUN),
      ...(SEED === undefined ? {} : { seed: Number(SEED) }),
      endOnFailure: true,
    },
  );
});
