import { expect, it } from 'vitest';
import { type Change, type Delete, type Put, set, type Update } from '#lib/store/store.ts';
import { keyOf } from '#test/support/memory-store.ts';
import { type Mutant, ReactionSimulation } from '#test/support/reaction-simulation.ts';

const notices = Number(process.env.HOOKLINE_TEST_NOTICES ?? 150);
const seed = Number(process.env.HOOKLINE_TEST_SEED ?? Date.now() % 1_000_000);
/** The table in memory looks through all that it has for each list: many small worlds are quicker than a large one. */
const OF_A_WORLD = 250;
const patient = Math.max(30_000, notices * 120);

async function run(from: number, count: number, mutant?: Mutant): Promise<ReactionSimulation> {
  const simulation = await ReactionSimulation.start(from, mutant);
  while (simulation.notices < count) await simulation.step();
  await simulation.end();
  return simulation;
}

it(`tells every notice at least once and sends at most once, whatever fails (seed ${seed})`, {
  timeout: patient,
}, async () => {
  for (let done = 0; done < notices; done += OF_A_WORLD) {
    const count = Math.min(OF_A_WORLD, notices - done);
    const world = seed + done / OF_A_WORLD;
    const { calls } = await run(world, count).catch((cause: unknown) => {
      throw new Error(`in the world of seed ${world}, ${count} notices`, { cause });
    });
    expect(calls).toBeGreaterThan(count * 2);
  }
});

type Write = Put | Update | Delete;
const isOf = (prefix: string, write: Write) => `${keyOf(write).pk} ${keyOf(write).sk}`.startsWith(prefix);
const isListing = ({ path }: Change) => String(path).startsWith('gsi3');

/** Each guard, and what is said where it is missing. */
const MUTANTS: readonly (readonly [name: string, said: RegExp, mutant: Mutant])[] = [
  ['a message of the queue is gone before it is done', /never told/, { losesTasks: true }],
  [
    'the mark of a message is no condition',
    /sent twice/,
    {
      write: (write) => {
        if (!isOf('IDEM#', write)) return write;
        const { if: _if, ...bare } = write;
        return bare;
      },
    },
  ],
  [
    'a delivery that is due is in no list',
    /nobody finds/,
    {
      write: (write) => {
        if (write.kind !== 'put' || !isOf('EP#', write)) return write;
        const { gsi3pk: _pk, gsi3sk: _sk, ...item } = write.item;
        return { ...write, item };
      },
    },
  ],
  ['what SQS has lost is asked for by nobody', /never told/, { neverReplays: true }],
  ['what waits is never found', /never told/, { hides: ({ pk }) => pk.startsWith('WAIT#') }],
  [
    'the calls of a second are not counted',
    /too fast/,
    {
      write: (write) =>
        write.kind === 'update' && write.key.sk.startsWith('SECOND#')
          ? { ...write, changes: [set('count', 1)] }
          : write,
    },
  ],
  [
    'an endpoint that fails is in no list',
    /nobody asks/,
    {
      write: (write) =>
        write.kind === 'update' && isOf('WS#main ENDPOINT#', write)
          ? { ...write, changes: write.changes.filter((change) => !isListing(change)) }
          : write,
    },
  ],
];

it.each(MUTANTS)('is noticed: %s', { timeout: 30_000 }, async (_name, said, mutant) => {
  let fault = '';
  for (let from = 1; from <= 30 && !said.test(fault); from += 1)
    fault = await run(from, 60, mutant).then(
      () => '',
      (cause: unknown) => String(cause),
    );
  expect(fault).toMatch(said);
});
