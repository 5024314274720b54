import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { callAws } from '#infra/local/engines/local-aws.ts';
import { type Hub, startHub } from '#infra/local/hub.ts';
import { isWanted } from '#infra/local/stream.ts';
import { fixtureService } from '#test/support/fixture-service.ts';

describe('the filter of a stream', () => {
  const record = { eventName: 'INSERT', dynamodb: { Keys: { pk: { S: 'EVT#1' }, sk: { S: 'META' } } } };
  it.each([
    ['nothing to ask', [], true],
    ['a value', [{ eventName: ['MODIFY', 'INSERT'] }], true],
    ['another value', [{ eventName: ['REMOVE'] }], false],
    ['a beginning', [{ dynamodb: { Keys: { pk: { S: [{ prefix: 'EVT#' }] } } } }], true],
    ['another beginning', [{ dynamodb: { Keys: { pk: { S: [{ prefix: 'MSG#' }] } } } }], false],
    ['something to be there', [{ dynamodb: { NewImage: [{ exists: false }] } }], true],
    ['something that is not there', [{ dynamodb: { NewImage: { a: { S: [{ exists: true }] } } } }], false],
    ['both', [{ eventName: ['INSERT'], dynamodb: { Keys: { sk: { S: ['OTHER'] } } } }], false],
    ['either', [{ eventName: ['REMOVE'] }, { eventName: ['INSERT'] }], true],
  ])('that asks for %s', (_what, patterns, wanted) => expect(isWanted(record, patterns)).toBe(wanted));
  it('that this host does not know is an error, not a guess', () => {
    expect(() => isWanted(record, [{ eventName: [{ suffix: 'T' }] }])).toThrow(/means nothing to this host/);
  });
});

describe('the stream of the table', () => {
  let folder: string;
  let seen: string;
  let reports: unknown[];
  let hub: Hub | undefined;
  let endpoint = '';

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'hookline-stream-'));
    seen = join(folder, 'seen.txt');
    writeFileSync(seen, '');
    vi.stubEnv('FIXTURE_SEEN', seen);
    reports = [];
  });
  afterEach(async () => {
    await hub?.stop();
    hub = undefined;
    rmSync(folder, { recursive: true, force: true });
  });

  async function start(data = join(folder, 'data')) {
    hub = await startHub({
      serverlessFile: fixtureService,
      environment: { PORT: '0', HOOKLINE_DATA: data },
      report: (_name, error) => reports.push(error),
      between: async (engine, own) => {
        if (engine === 'dynamoDb') endpoint = own;
        return own;
      },
    });
  }
  async function write(...names: string[]) {
    for (const name of names) {
      const Item = {
        pk: { S: name.includes('#') ? name : `SEEN#${name}` },
        sk: { S: 'META' },
        at: { N: String(Math.random()) },
      };
      const { status } = await callAws(endpoint, 'DynamoDB_20120810.PutItem', { TableName: 'fixture-local', Item });
      expect(status).toBe(200);
    }
  }
  const lines = () => readFileSync(seen, 'utf8').split('\n').filter(Boolean);
  const soon = (expected: readonly string[]) => vi.waitFor(() => expect(lines()).toEqual(expected), 5000);
  const inserts = (...names: string[]) => names.map((name) => `INSERT ${name}`);

  it('is read in order, as far as the filter lets it through', async () => {
    await start();
    await write('a', 'OTHER#x', 'b', 'c', 'd', 'e');
    await write('a');
    await soon([...inserts('a', 'b', 'c', 'd', 'e'), 'MODIFY a']);
    expect(reports).toEqual([]);
  });

  it('goes on after a restart where it stood, and keeps its numbers when it is trimmed', async () => {
    await start();
    await write('a', 'b');
    await soon(inserts('a', 'b'));
    await hub?.stop();
    const db = new DatabaseSync(join(folder, 'data', 'dynamodb.db'));
    const count = () => Number(db.prepare('SELECT count(*) AS n FROM _stream_records').get()?.n);
    expect(count()).toBeLessThanOrEqual(2);
    expect(count()).toBeGreaterThan(0);
    db.close();
    await start();
    await write('c');
    await soon(inserts('a', 'b', 'c'));
  });

  it('is read whole where the table was put back to an earlier state, whose numbers begin again', async () => {
    await start();
    await write('a');
    await soon(inserts('a'));
    await hub?.stop();
    const file = globSync(join(folder, 'data', '*-stream.json'))[0] ?? '';
    const kept: object = JSON.parse(readFileSync(file, 'utf8'));
    writeFileSync(file, JSON.stringify({ ...kept, sequence: '5000' }));
    await start();
    await write('b');
    await soon(inserts('a', 'a', 'b'));
  });

  it('keeps nothing back for a record that cannot be read: it is tried again, reported and left behind', async () => {
    await start();
    await write('a', 'b', 'throws', 'c');
    await soon(inserts('a', 'b', 'c'));
    expect(reports.map(String)).toContainEqual(expect.stringMatching(/gave up record \d+ of the stream/));
  });

  it('begins again at the record that was refused', async () => {
    await start();
    await write('a', 'refused', 'b');
    await soon(inserts('a', 'b'));
    expect(reports.map(String)).toContainEqual(expect.stringMatching(/gave up record \d+ of the stream/));
  });

  it('is there for a hub that keeps nothing, too', async () => {
    await start(':memory:');
    await write('a');
    await soon(inserts('a'));
  });
});
