import * as v from 'valibot';
import { afterEach, expect, test, vi } from 'vitest';
import { correlated, embeddedMetrics, structuredLog } from '#lib/aws/telemetry.ts';

vi.stubEnv('POWERTOOLS_DEV', 'true');
vi.stubEnv('POWERTOOLS_METRICS_DISABLED', 'false');
afterEach(() => vi.restoreAllMocks());

/** What was written as JSON lines; Powertools writes through the console when it is told that nobody deploys. */
function lines(work: () => void): Record<string, unknown>[] {
  const written: string[] = [];
  for (const name of ['log', 'info', 'warn', 'error'] as const) {
    vi.spyOn(console, name).mockImplementation((line) => void written.push(String(line)));
  }
  work();
  return written.map((line) => JSON.parse(line));
}

const metrics = embeddedMetrics('hookline-prod');

test('counts over all and by what the metric is split by', () => {
  const [line] = lines(() => metrics.count('SendOutcome', { kind: 'sent' }));
  expect(line).toMatchObject({
    _aws: { CloudWatchMetrics: [{ Namespace: 'Hookline', Dimensions: [['service'], ['service', 'kind']] }] },
    service: 'hookline-prod',
    kind: 'sent',
    SendOutcome: 1,
  });
});

test('never makes a dimension of an id', () => {
  const [line] = lines(() => metrics.count('LeaseLost', { account: 'acc_1' }));
  expect(line).toMatchObject({ _aws: { CloudWatchMetrics: [{ Dimensions: [['service']] }] }, account: 'acc_1' });
});

test('measures in the unit of the metric', () => {
  const [line] = lines(() => metrics.count('SendGap', {}, 2013));
  const [definition] = JSON.parse(JSON.stringify(line))._aws.CloudWatchMetrics;
  expect(definition.Metrics).toEqual([{ Name: 'SendGap', Unit: 'Milliseconds' }]);
  expect(line?.SendGap).toBe(2013);
});

test('puts the ids of the work at hand on each of its lines, and on no other', async () => {
  const log = structuredLog('hookline-prod');
  let written: Record<string, unknown>[] = [];
  await correlated({ requestId: 'r1' }, () =>
    correlated({ correlationId: 'evt_1' }, async () => {
      written = lines(() => log.info('stored'));
    }),
  );
  expect(written).toMatchObject([{ requestId: 'r1', correlationId: 'evt_1', service: 'hookline-prod' }]);
  expect(lines(() => log.info('another'))[0]).not.toHaveProperty('requestId');
});

test('tells of an error what went wrong and where, and nothing that it was given', () => {
  const log = structuredLog('hookline-prod');
  const failures = [
    () => v.parse(v.object({ phone: v.number() }), { phone: 'private words' }),
    () => JSON.parse('{"text": private words}'),
    () => {
      throw Object.assign(new Error('refused'), { CancellationReasons: [{ Item: { text: 'private words' } }] });
    },
    () => {
      throw new Error('outside', { cause: Object.assign(new Error('inside'), { input: 'private words' }) });
    },
  ];
  for (const fails of failures) {
    try {
      fails();
    } catch (cause) {
      const [line] = lines(() => log.error('it went wrong', cause));
      expect(JSON.stringify(line)).not.toContain('private');
      expect(JSON.stringify(line)).toContain('telemetry.test.ts');
    }
  }
  const [line] = lines(() => log.error('it went wrong', new Error('outside', { cause: new TypeError('inside') })));
  expect(line).toMatchObject({ error: { message: 'outside', cause: { name: 'TypeError', message: 'inside' } } });
});

test('tells of an error no secret that its message names', () => {
  const log = structuredLog('hookline-prod');
  const token = 'Vq3_hZr-9tYw2LkXo7Pn1sBd5Fg8Jm0CuEaIiRxTlNQ';
  const cause = new Error(`no answer from https://ann:pa55word@host.example/hooks/zender/${token}?key=pa55word`);
  const [line] = lines(() => log.error('it went wrong', new Error(`Bearer ${token} was refused`, { cause })));
  expect(JSON.stringify(line)).not.toMatch(/pa55word|Vq3_/);
  expect(line).toMatchObject({ error: { message: 'Bearer [redacted] was refused' } });
});

test('leaves the work alone when a line cannot be written, and says so', () => {
  vi.spyOn(console, 'info').mockImplementation(() => {
    throw new Error('the pipe is closed');
  });
  const said = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  structuredLog('hookline-prod').info('sent');
  expect(said).toHaveBeenCalledWith(expect.stringContaining('a line could not be written'));
});
