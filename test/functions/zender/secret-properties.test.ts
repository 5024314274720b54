import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { zender } from '#functions/zender/provider.ts';
import { withoutSecret } from '#functions/zender/secret.ts';
import { sha256 } from '#lib/domain/ids.ts';
import { proofIn } from '#lib/inbox/receive.ts';
import { form, json, multipart, secret, sms, toForm, whatsapp } from './payloads.ts';

const bytes = (text: string) => Buffer.from(text);
const cleaned = (text: string, contentType = form) =>
  Buffer.from(withoutSecret(bytes(text), contentType).raw).toString();

describe('for any body', () => {
  /** Each character of a form's name or value as itself or in percent signs. */
  const spelled = (text: string) =>
    fc
      .array(fc.boolean(), { minLength: text.length, maxLength: text.length })
      .map((escaped) =>
        [...text].map((char, at) => (escaped[at] ? `%${char.charCodeAt(0).toString(16)}` : char)).join(''),
      );
  const pair = fc.tuple(fc.string(), fc.string()).map((texts) => texts.map(encodeURIComponent).join('='));
  const secretPair = fc.tuple(spelled('secret'), spelled(secret)).map((texts) => texts.join('='));

  it('a form keeps every pair but the secret, byte for byte', () => {
    const pairs = fc.array(
      fc.oneof(
        pair,
        secretPair.map((text) => ({ text })),
      ),
    );
    fc.assert(
      fc.property(pairs, (body) => {
        const text = body.map((one) => (typeof one === 'string' ? one : one.text)).join('&');
        // A random name may be the secret's, too.
        const kept = body.filter((one) => typeof one === 'string').filter((one) => !/secret/i.test(one));
        fc.pre(kept.length === body.filter((one) => typeof one === 'string').length);
        fc.pre(!/^(%EF%BB%BF)?\s*[{["]/i.test(text) && !text.includes('__proto__'));
        const left = kept.join('&');
        // What would begin like JSON, as %7B=, cannot be read alone: of that it is kept what was read.
        fc.pre(left === '' || zender.parse(bytes(left), form).ok);
        expect(cleaned(text)).toBe(left);
      }),
    );
  });

  const escapedName = fc
    .array(fc.boolean(), { minLength: 6, maxLength: 6 })
    .map((escaped) =>
      [...'secret'].map((char, at) => (escaped[at] ? `\\u00${char.charCodeAt(0).toString(16)}` : char)).join(''),
    );
  type Member = { key: string; value: Written };
  type Written = string | { list: Written[] } | { members: Member[] };
  const name = fc.string({ unit: 'binary' }).filter((text) => !/secret/i.test(text) && text !== '__proto__');
  const { written } = fc.letrec<{ written: Written; member: Member }>((tie) => ({
    written: fc.oneof(
      { maxDepth: 4 },
      fc
        .oneof(fc.string({ unit: 'binary' }), fc.double(), fc.boolean(), fc.constant(null))
        .map((it) => JSON.stringify(it)),
      fc.array(tie('written'), { maxLength: 3 }).map((list) => ({ list })),
      fc.array(tie('member'), { maxLength: 4 }).map((members) => ({ members })),
    ),
    member: fc.record({
      key: fc.oneof(
        name.map((it) => JSON.stringify(it)),
        escapedName.map((it) => `"${it}"`),
      ),
      value: fc.oneof(tie('written'), fc.constant(JSON.stringify(secret))),
    }),
  }));
  const blank = fc.constantFrom('', ' ', '\n\t');
  const isSecret = (key: string) => JSON.parse(key) === 'secret';
  const toText = (it: Written, space: string, keepSecret: boolean): string => {
    if (typeof it === 'string') return it;
    if ('list' in it) return `[${it.list.map((one) => toText(one, space, keepSecret)).join(`${space},`)}]`;
    const members = it.members.filter(({ key }) => keepSecret || !isSecret(key));
    return `{${members.map(({ key, value }) => `${space}${key}${space}:${toText(value, space, keepSecret)}`).join(`${space},`)}}`;
  };

  it('JSON says the same but for the secret, and is no other where there is none', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ key: name.map((it) => JSON.stringify(it)), value: written })),
        blank,
        (members, space) => {
          const body = { members };
          const result = cleaned(toText(body, space, true), json);
          expect(JSON.parse(result)).toEqual(JSON.parse(toText(body, space, false)));
          if (toText(body, space, true) === toText(body, space, false)) expect(result).toBe(toText(body, space, true));
        },
      ),
      { numRuns: 500 },
    );
  });

  it('neither throws nor changes what is read, whatever the bytes', () => {
    const body = fc.oneof(
      fc.uint8Array(),
      fc.string().map((text) => bytes(`{"secret":"${secret}",${text}`)),
      fc.string().map((text) => bytes(`${text}&secret=${secret}`)),
    );
    fc.assert(
      fc.property(body, fc.constantFrom(form, json, '', 'text/plain'), (raw, contentType) => {
        const kept = withoutSecret(raw, contentType).raw;
        const before = zender.parse(raw, contentType);
        const after = zender.parse(kept, contentType);
        if (before.ok && after.ok) expect(zender.read(after.value)).toEqual(zender.read(before.value));
      }),
    );
  });

  it.each([whatsapp, sms])('a true one reads alike once its secret is gone', (payload) => {
    for (const [text, contentType] of [
      [toForm(payload), form],
      [toForm(payload).replaceAll('&', '&amp;'), form],
      [JSON.stringify(payload), json],
    ] as const) {
      const [before, after] = [bytes(text), withoutSecret(bytes(text), contentType).raw].map((raw) =>
        zender.parse(raw, contentType),
      );
      expect(after?.ok && zender.read(after.value)).toEqual(before?.ok && zender.read(before.value));
      expect(Buffer.from(withoutSecret(bytes(text), contentType).raw).toString()).not.toContain(secret);
    }
  });
});

describe('what is kept proves nothing, and stays readable', () => {
  const name = fc.constantFrom(
    ...['body', 'data', 'headers', 'query', 'url', 'path', 'search', 'payload', 'secret', 'x-secret', 'Authorization'],
    ...[
      'name',
      'value',
      'a',
      'type',
      'body__secret',
      'event.body.secret',
      'data[secret]',
      'data[a][secret]',
      '[secret]',
    ],
  );
  const encoded = (text: string) =>
    fc.constantFrom(
      text,
      encodeURIComponent(text),
      `/in?${text}#a`,
      `/in?body=${encodeURIComponent(text)}`,
      bytes(text).toString('base64'),
      gzipSync(text).toString('base64'),
      gzipSync(gzipSync(text)).toString('base64'),
      bytes(`\ufeff${text}`).toString('base64'),
      Buffer.from(text, 'utf16le').toString('base64'),
      { type: 'Buffer', data: [...bytes(text)] },
      { data: [...bytes(text)], type: 'Buffer' },
      multipart({ body: text }),
    );
  const written = (value: unknown) =>
    fc.oneof(
      encoded(JSON.stringify(value)),
      encoded(JSON.stringify(value).replaceAll('e', '\\u0065')),
      encoded(toForm({ ...Object(value) })),
      encoded(`${JSON.stringify(value)}\n${JSON.stringify(value)}`),
    );
  const { value } = fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 4, depthSize: 'small' },
      fc.constantFrom(secret, 'Secret', sms, toForm(sms), `Bearer ${secret}`),
      fc.dictionary(name, tie('value'), { maxKeys: 4, noNullPrototype: true }),
      fc.array(tie('value'), { maxLength: 3 }),
      tie('value').chain(written),
    ),
  }));

  it('however the secret was spelled', () => {
    let cuts = 0;
    fc.assert(
      fc.property(value.chain(written), (body) => {
        const raw = bytes(typeof body === 'string' ? body : JSON.stringify(body));
        const provenBy = (one: Uint8Array) =>
          proofIn(zender, { headers: {}, body: one }).secretHashes?.includes(sha256(secret));
        if (provenBy(raw)) cuts += 1;
        const kept = withoutSecret(raw, '');
        expect(provenBy(kept.raw)).toBe(false);
        if (zender.parse(raw, '').ok && kept.raw.length > 0) expect(kept.parsed().ok).toBe(true);
      }),
      { numRuns: 200 },
    );
    expect(cuts).toBeGreaterThan(10);
  });
});
