import { describe, expect, test } from 'vitest';
import { redactedBody } from '#lib/domain/redact.ts';

describe('the excerpt of a body that is no JSON', () => {
  test.each([
    ['a form', 'phone=1&api_secret_key=abc&text=hi', 'phone=1&api_secret_key=[redacted]&text=hi'],
    ['broken JSON', '{"myToken": "a b\\" c", "text": "hi"', '{"myToken": [redacted], "text": "hi"'],
    ['a text that ends within a secret', 'password: "abc', 'password: [redacted]'],
  ])('hides the secret in %s', (_, body, excerpt) => {
    expect(redactedBody(body)).toBe(excerpt);
  });

  test.each(['a', 'secret', 'secret ', '"secret'])('is cut in no time from a megabyte of %j', (part) => {
    const body = part.repeat(1_000_000 / part.length);
    const start = performance.now();
    expect(redactedBody(body).length).toBeLessThanOrEqual(4000);
    expect(performance.now() - start).toBeLessThan(1000);
  });

  test('holds no secret that reaches beyond what is looked at', () => {
    expect(redactedBody(`text=hi&token=${'x'.repeat(100_000)}`)).toBe('text=hi&token=[redacted]');
  });
});
