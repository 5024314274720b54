import fc from 'fast-check';
import type { Draft } from '#functions/admin/console/rules/draft.ts';
import { ruleTexts } from '#functions/admin/console/rules/texts.ts';

const words = fc.oneof(
  fc.constantFrom('price', '5', 'true', ' ', 'a\nb', 'x, y', '{{ text }}', '"', '07:30', '2026-03-01T12:00:00.000Z'),
  fc.string({ minLength: 1, maxLength: 8 }),
);
const value = fc.oneof(words, fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true }), fc.boolean());
const clock = fc.constantFrom('00:00', '09:00', '18:30', '23:59');
const leaf: fc.Arbitrary<Draft> = fc.oneof(
  fc.tuple(fc.constantFrom('is', 'isNot'), value).map(([operator, operand]) => ({ [operator]: operand })),
  fc
    .tuple(fc.constantFrom('in', 'notIn'), fc.array(value, { minLength: 1, maxLength: 3 }))
    .map(([operator, operand]) => ({ [operator]: operand })),
  fc
    .tuple(fc.constantFrom('words', 'allWords'), fc.array(words, { minLength: 1, maxLength: 3 }))
    .map(([operator, operand]) => ({ [operator]: operand })),
  fc
    .tuple(fc.constantFrom('contains', 'startsWith', 'endsWith', 'matches'), words)
    .map(([operator, operand]) => ({ [operator]: operand, caseSensitive: true })),
  fc
    .tuple(
      fc.constantFrom('lessThan', 'atMost', 'greaterThan', 'atLeast'),
      fc.oneof(fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true }), fc.constant('2026-03-01T12:00:00Z')),
    )
    .map(([operator, operand]) => ({ [operator]: operand })),
  fc.boolean().map((exists) => ({ exists })),
);
const field = fc.constantFrom(...Object.keys(ruleTexts.fields), 'message.content.file.size', 'ussd.sim');
const time = fc.tuple(clock, clock).map((between) => ({ field: 'now.time', between }));
export const { condition: anyCondition } = fc.letrec<{ condition: Draft }>((tie) => ({
  condition: fc.oneof(
    { depthSize: 'small', maxDepth: 3 },
    fc.tuple(field, leaf).map(([name, compared]) => ({ field: name, ...compared })),
    time,
    fc.array(tie('condition'), { minLength: 1, maxLength: 3 }).map((all) => ({ all })),
    fc.array(tie('condition'), { minLength: 1, maxLength: 3 }).map((any) => ({ any })),
    tie('condition').map((not) => ({ not })),
  ),
}));
const account = fc.constant('acc_019ca8d5c0000a2b3c4d5e6f708192a3');
const message = fc.record(
  { text: words, fileUrl: fc.constant('https://a.example/a.pdf'), fileName: words },
  { requiredKeys: ['text'] },
);
const action: fc.Arbitrary<Draft> = fc.oneof(
  fc
    .tuple(message, fc.option(fc.boolean(), { nil: undefined }))
    .map(([one, quote]) => ({ action: 'reply', ...one, ...(quote !== undefined && { quote }) })),
  fc
    .tuple(
      message,
      fc.oneof(
        words.map((phone) => ({ phone })),
        words.map((jid) => ({ jid })),
        words.map((chat_id) => ({ chat_id })),
        words.map((chat_name) => ({ chat_name })),
      ),
      fc.option(account),
    )
    .map(([one, to, accountId]) => ({ action: 'send', to, ...one, ...(accountId && { accountId }) })),
  fc.record(
    {
      action: fc.constant('email'),
      to: fc.array(fc.constantFrom('ana@example.com', 'b@example.com'), { minLength: 1, maxLength: 5 }),
      subject: words,
      text: words,
      attach: fc.constantFrom('event', 'raw'),
    },
    { requiredKeys: ['action', 'to', 'subject', 'text'] },
  ),
  fc.constant({ action: 'forward', endpoint: 'ep_019ca8d5c0000a2b3c4d5e6f708192a3' }),
  fc
    .record(
      {
        url: fc.constant('https://example.com/x'),
        method: fc.constantFrom('POST', 'PUT', 'PATCH', 'DELETE'),
        headers: fc.constant({ 'x-key': 'v' }),
      },
      { requiredKeys: ['url'] },
    )
    .chain((call) =>
      fc
        .oneof(
          fc.constant({}),
          fc.jsonValue({ maxDepth: 2 }).map((json) => ({ json })),
          words.map((text) => ({ text })),
        )
        .map((body) => ({ action: 'call', ...call, ...body })),
    ),
);
const seconds = fc.integer({ min: 10, max: 86_400 });
/** A rule that the API takes, with every operator and action there is. */
export const anyRule = fc.record(
  {
    name: fc.constantFrom('A', 'Price list', 'Ä, "ö"'),
    enabled: fc.boolean(),
    on: fc.subarray(['message.received', 'message.*', '*', 'ussd.answered', 'send.failed'], { minLength: 1 }),
    accounts: fc.array(account, { minLength: 1, maxLength: 1 }),
    when: anyCondition,
    timeZone: fc.constantFrom('UTC', 'Europe/Berlin'),
    order: fc.integer({ min: 0, max: 1_000_000 }),
    stop: fc.boolean(),
    do: fc.array(action, { minLength: 1, maxLength: 3 }),
    guard: fc.record(
      {
        perContact: fc.record({ max: fc.integer({ min: 1, max: 100 }), seconds }),
        quietAfterHumanSeconds: seconds,
        groups: fc.boolean(),
        maxAgeSeconds: seconds,
      },
      { requiredKeys: [] },
    ),
  },
  { requiredKeys: ['name', 'on', 'do'] },
);
