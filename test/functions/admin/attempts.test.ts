import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { toIso } from '#lib/domain/time.ts';
import { type Attempt, attemptsAsCsv, attemptsAsNdjson, csvCell, logAttempt } from '#lib/tenants/attempts.ts';
import { AdminBench, itemsOf, message } from './admin-bench.ts';

const text = fc.string({ unit: 'binary', maxLength: 60 });
/** What no spreadsheet shows, and some drop. */
const UNSEEN = [
  '\0',
  '\u0001',
  '\u001b',
  '\u007f',
  '\u0085',
  '\u00a0',
  '\u00ad',
  '\u061c',
  '\u200b',
  '\u200e',
  '\u202e',
  '\u2060',
  '\u3000',
  '\u3164',
  '\ufe0f',
  '\ufeff',
];
const unseen = fc.array(fc.constantFrom(...UNSEEN), { maxLength: 3 }).map((parts) => parts.join(''));
const hostile = fc.oneof(
  text,
  fc.constantFrom('=1+1', ' @SUM(A1)', '"\r\n,"', "'", '\t=x', '\n+1', '-2', '\u2028'),
  fc.tuple(unseen, fc.constantFrom('=1', '+1', '-1', '@a')).map((parts) => parts.join('')),
);
const attempts: fc.Arbitrary<Attempt> = fc.record(
  {
    at: fc.nat(4e12).map(toIso),
    status: fc.constantFrom(200, 401, 404),
    outcome: fc.constantFrom('stored', 'duplicate', 'quarantined'),
    durationMs: fc.nat(5000),
    request: fc.record(
      { bytes: fc.nat(), userAgent: hostile, body: hostile, contentType: hostile },
      { requiredKeys: ['bytes'] },
    ),
    message: hostile,
    id: fc.constant('evt_1'),
  },
  { requiredKeys: ['at', 'status', 'outcome', 'durationMs', 'request'] },
);

const asText = (cell: string) => cell.replace(/\r\n|[\n\r\v\f\u0085\u2028\u2029]/g, '\\n');

/** From its first character that a spreadsheet shows. */
const seen = (cell: string) =>
  [...cell].find((char) => char.trim() !== '' && !UNSEEN.includes(char) && !/\p{C}/u.test(char)) ?? '';

describe('attempts as CSV', () => {
  it('come out of a CSV reader as they went in, a line each, and none as a formula', () => {
    fc.assert(
      fc.property(fc.array(attempts, { maxLength: 8 }), (list) => {
        const file = attemptsAsCsv(list);
        expect(file.split(/\r\n|\r|\n/)).toHaveLength(list.length + 2);
        const rows = v.parse(v.array(v.record(v.string(), v.string())), parse(file, { columns: true }));
        expect(rows).toHaveLength(list.length);
        for (const [i, row] of rows.entries()) {
          for (const cell of Object.values(row)) expect(seen(cell)).not.toMatch(/^[=+\-@]/);
          const { request, message: said } = list[i] ?? { request: { bytes: 0 } };
          for (const [cell, given] of [
            [row.body, request.body],
            [row.userAgent, request.userAgent],
            [row.message, said],
          ]) {
            expect([asText(given ?? ''), `'${asText(given ?? '')}`]).toContain(cell);
          }
          expect(row).toMatchObject({ at: list[i]?.at, status: String(list[i]?.status), bytes: String(request.bytes) });
        }
      }),
    );
  });

  it.each([
    ['plain', '"plain"'],
    ['say "hi"', '"say ""hi"""'],
    ['=1+1', '"\'=1+1"'],
    ['  +1', '"\'  +1"'],
    ['\0=1', '"\'\0=1"'],
    ['\0', '"\'\0"'],
    ['\ufeff@a', '"\'\ufeff@a"'],
    ['\u200b\u202e-1', '"\'\u200b\u202e-1"'],
    ['\ufe63\uff11', '"\'\ufe63\uff11"'],
    ['\u200eabc', '"\u200eabc"'],
    ['-1', '"\'-1"'],
    ['@x', '"\'@x"'],
    ['\tx', '"\'\tx"'],
    ['\r\nx', '"\'\\nx"'],
    ['＝1', '"\'＝1"'],
    ['a\nb\rc', '"a\\nb\\nc"'],
    [7, '"7"'],
    [undefined, '""'],
  ])('write %j as %s', (value, expected) => {
    expect(csvCell(value)).toBe(expected);
  });
});

describe('the attempts of a webhook', () => {
  it('are the same in all three forms, newest first', async () => {
    const hub = new AdminBench();
    const { id, url } = await hub.webhook();
    await hub.post(url, message(1));
    hub.bench.now += 1000;
    await hub.post(url, '{"password": "hunter2", "text": "=1+1"');
    const { items, ...rest } = await hub.done('GET', `/api/webhooks/${id}/attempts`);
    expect(rest).toEqual({});
    expect(items).toMatchObject([
      { outcome: 'quarantined', status: 200 },
      { outcome: 'stored', status: 200 },
    ]);
    const csv = await hub.call('GET', `/api/webhooks/${id}/attempts.csv`);
    const ndjson = await hub.call('GET', `/api/webhooks/${id}/attempts.ndjson`);
    expect(csv.headers['content-type']).toBe('text/csv; charset=utf-8');
    expect(csv.headers['content-disposition']).toBe(`attachment; filename="${id}-attempts.csv"`);
    expect(parse(csv.text, { columns: true })).toMatchObject([{ outcome: 'quarantined' }, { outcome: 'stored' }]);
    const lines = ndjson.text.trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line))).toEqual(items);
    for (const answer of [csv.text, ndjson.text, JSON.stringify(items)]) expect(answer).not.toContain('hunter2');
  });

  it('are the last hundred', async () => {
    const hub = new AdminBench();
    const { id } = await hub.webhook();
    for (let n = 0; n < 105; n++) {
      const attempt: Attempt = {
        at: toIso(hub.bench.now - n),
        status: 200,
        outcome: 'stored',
        durationMs: n,
        request: { bytes: 1 },
      };
      await logAttempt(hub.store, { webhookId: id }, attempt, String(n));
    }
    const items = itemsOf(await hub.done('GET', `/api/webhooks/${id}/attempts`));
    expect(items.map(({ durationMs }) => durationMs)).toEqual(Array.from({ length: 100 }, (_, n) => n));
    const csv = await hub.call('GET', `/api/webhooks/${id}/attempts.csv`);
    expect(csv.text.split('\r\n')).toHaveLength(102);
  });

  it('are nothing but a head row where there are none', () => {
    expect(attemptsAsCsv([]).split('\r\n')).toHaveLength(2);
    expect(attemptsAsNdjson([])).toBe('');
  });
});
