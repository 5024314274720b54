import { describe, expect, it } from 'vitest';
import { zender } from '#functions/zender/provider.ts';
import { withoutSecret } from '#functions/zender/secret.ts';
import { sha256 } from '#lib/domain/ids.ts';
import { isProven, proofIn } from '#lib/inbox/receive.ts';
import { flat, form, json, multipart, sample, secret, sms, toForm, whatsapp } from './payloads.ts';

const bytes = (text: string) => Buffer.from(text);
const cleaned = (text: string, contentType = form) =>
  Buffer.from(withoutSecret(bytes(text), contentType).raw).toString();

/** More than are read: what a part is called is looked for roughly then. */
const MANY_PARTS = multipart({ ...Object.fromEntries(Array.from({ length: 1100 }, (_, i) => [i, 1])), secret }, 'b');

function isGenuine(text: string, contentType: string, hash = sha256(secret)): boolean {
  const delivery = { headers: { 'content-type': contentType }, body: bytes(text) };
  return isProven(proofIn(zender, delivery), { secretHash: hash });
}

describe('a body of zender is genuine', () => {
  it.each([
    ['with the secret in a form', toForm(sms), form],
    ['with the secret in JSON', JSON.stringify(sms), json],
    ['with the secret in a multipart form', multipart(sms), 'multipart/form-data; boundary=----b0undary'],
    ['with the secret in a list of one', JSON.stringify([sms]), json],
    ["with the secret in a relay's wrapper", JSON.stringify({ headers: {}, body: sms }), json],
    ["with the secret in a relay's wrapper in a list", JSON.stringify([{ query: {}, body: sms }]), json],
    ['with the secret in each of several lines', [sms, whatsapp].map((it) => JSON.stringify(it)).join('\n'), json],
    ['with the secret in JSON with a comma too many', JSON.stringify(sms).replace(/}$/, ',}'), json],
    ['with the secret in a text that is wrapped', JSON.stringify({ headers: {}, body: JSON.stringify(sms) }), json],
    ['with the secret in a form that is wrapped', JSON.stringify({ headers: {}, body: toForm(sms) }), json],
    ['with the secret in the first shape, wrapped', JSON.stringify({ payload: flat }), json],
    ['with the secret in each of a list', JSON.stringify([sms, whatsapp]), json],
    ['with the secret in a list', JSON.stringify({ secret: [secret] }), json],
    ['with the secret within data', JSON.stringify({ data: { secret } }), json],
    ["with the secret among a relay's headers", JSON.stringify({ headers: { secret }, body: {} }), json],
    ["with a secret of the relay's own around it", JSON.stringify({ secret: 'word', body: sms }), json],
    ['with the secret in JSON that breaks off', `{"secret":"${secret}","type":"sm`, json],
    ['with the secret in JSON that lacks a quote', JSON.stringify(sms).replace('Hello"', 'Hello "you""'), json],
    ['with the secret in what JavaScript writes', `{secret: '${secret}', type: 'sms'}`, json],
    ['with the secret in JSON escaped for a page', JSON.stringify(sms).replaceAll('"', '&quot;'), json],
    ['with the secret in CDATA of XML', `<a><secret><![CDATA[${secret}]]></secret></a>`, 'text/xml'],
    [
      'with the secret in JSON within JSON that breaks off',
      JSON.stringify({ body: JSON.stringify(sms) }).slice(0, -1),
      json,
    ],
    [
      'with the secret in JSON within JSON, escaped for a page',
      JSON.stringify({ body: JSON.stringify(sms) }).replaceAll('"', '&quot;'),
      json,
    ],
    ['with the secret in a row that breaks off', `{"body__secret":"${secret}","body__ty`, json],
    ['with the secret in a form of too many fields', `secret=${secret}&${'x=1&'.repeat(300)}`, form],
    ['with the secret in a list of a form', toForm(sms).replace('secret=', 'secret[]='), form],
    ['with the secret of a header in a row of all fields', `headers__x-webhook-secret=${secret}&body__type=sms`, form],
    ['with the secret in brackets', toForm(sms).replace('secret=', '[secret]='), form],
    ['with the secret in a multipart form of too many parts', MANY_PARTS, 'multipart/form-data; boundary=b'],
    ['with the secret spelled in percent signs', toForm(sms).replace('secret=', 's%65cret='), form],
  ])('%s', (_name, text, contentType) => {
    expect(isGenuine(text, contentType)).toBe(true);
  });

  it.each([{ 'x-webhook-secret': secret }, { authorization: `Bearer ${secret}` }, { authorization: secret }])(
    'with the secret in a header of the request: %o',
    (headers) => {
      const delivery = { headers, body: bytes(JSON.stringify({ ...sms, secret: undefined })) };
      expect(isProven(proofIn(zender, delivery), { secretHash: sha256(secret) })).toBe(true);
      const other = { headers, body: bytes(JSON.stringify({ ...sms, secret: 'guess' })) };
      expect(isProven(proofIn(zender, other), { secretHash: sha256(secret) })).toBe(false);
    },
  );

  it('with a secret in digits that a relay made a number', () => {
    expect(isGenuine('{"secret":12345}', json, sha256('12345'))).toBe(true);
  });

  it('in any case where the webhook has no secret', () => {
    const delivery = { headers: {}, body: bytes('') };
    expect(isProven(zender.proofOf?.(delivery, undefined) ?? {}, {})).toBe(true);
    expect(isProven(zender.proofOf?.(delivery, { secret: 'any' }) ?? {}, {})).toBe(true);
  });
});

const bare = (count: number) => Array.from({ length: count }, () => ({ ...sms, secret: undefined }));

describe('a body of zender is not genuine', () => {
  it.each([
    ['with another secret', toForm({ ...sms, secret: 'guess' }), form],
    ['with a part of the secret', toForm({ ...sms, secret: secret.slice(0, -1) }), form],
    ['with an empty secret', toForm({ ...sms, secret: '' }), form],
    ['without a secret', '{"type":"sms"}', json],
    ['with another secret in a wrapper', JSON.stringify({ body: { ...sms, secret: 'guess' } }), json],
    ['with two secrets in lines', `${JSON.stringify(sms)}\n${JSON.stringify({ ...sms, secret: 'guess' })}`, json],
    ['with two secrets in a list', JSON.stringify([sms, { ...whatsapp, secret: 'guess' }]), json],
    ['with another secret in what is wrapped', JSON.stringify({ secret, body: { ...sms, secret: 'guess' } }), json],
    ['with null', '{"secret":null}', json],
    ['with the hash', JSON.stringify({ secret: sha256(secret) }), json],
    ['if nothing can be read', `{"secret":"guess","type`, json],
    ['if nothing can be read and another word is the secret', `{"secrets":"${secret}","type`, json],
    ['if it is empty', '', form],
    ['if it is a list', '[]', json],
  ])('%s', (_name, text, contentType) => {
    expect(isGenuine(text, contentType)).toBe(false);
  });

  it.each([
    ['beside many deliveries', (guesses: readonly string[]) => ({ headers: { secret: guesses }, body: bare(1000) })],
    [
      'in each of two',
      (guesses: readonly string[]) => [guesses, guesses.toReversed()].map((secret) => ({ ...sms, secret })),
    ],
  ])('with many guesses %s, and that takes no time', (_name, bodyOf) => {
    const body = JSON.stringify(bodyOf(Array.from({ length: 40_000 }, (_, i) => `${100_000 + i}`)));
    const begun = performance.now();
    expect(isGenuine(body, json)).toBe(false);
    expect(performance.now() - begun).toBeLessThan(2000);
  });
});

describe('the secret is cut', () => {
  it.each([
    ['from the front of a form', 'secret=x&type=sms&a=1', 'type=sms&a=1'],
    ['from the middle of a form', 'type=sms&secret=x&a=1', 'type=sms&a=1'],
    ['from the end of a form', 'type=sms&secret=x', 'type=sms'],
    ['from a form of nothing else', 'secret=x', ''],
    ['wherever it is repeated', 'secret=x&a=1&secret=y&secret', 'a=1'],
    ['in percent signs', '%73%65%63%72%65%74=x&a=%20%zz', 'a=%20%zz'],
    ['in capitals', 'Secret=x&SECRET=y&a=1', 'a=1'],
    ['as a list or an object', 'secret[]=x&secret%5B0%5D=y&secret[a][b]=z&a=1', 'a=1'],
    ['within another field', 'data[secret]=x&data[id]=1', 'data[id]=1'],
    ['where a value holds what looks like the end of a key', 'secret=a]=b&a=1', 'a=1'],
    ['after an escaped ampersand', 'a=1&amp;secret=x', 'a=1'],
    ['before an escaped ampersand', 'secret=x&amp;a=1&amp;b=2', 'a=1&amp;b=2'],
    ['after a field that begins as an escaped ampersand', 'amp;a=1&amp;secret=x', 'amp;a=1'],
    ['after a blank', '+secret=x&%20secret+=y&a=1', 'a=1'],
    ['from XML', '<a><secret>x</secret><b c="1">y</b></a>', '<a><secret></secret><b c="1">y</b></a>'],
    ['from CDATA of XML', '<a><secret><![CDATA[x]y]]></secret></a>', '<a><secret><![CDATA[]]></secret></a>'],
    [
      'from JSON escaped for a page',
      '{&quot;secret&quot;: &quot;x&amp;y&quot;, &quot;a&quot;: 1}',
      '{, &quot;a&quot;: 1}',
    ],
    [
      'from JSON in JSON that breaks off',
      String.raw`{"secret":"x","body":"{\"a\":1,\"secret\":\"y\"}"`,
      String.raw`{"body":"{\"a\":1,\}"`,
    ],
    ['from a form in JSON that breaks off', '{"body":"a=1&b%5Bsecret%5D=x&c=2"', '{"body":"a=1&b&c=2"'],
    ['from JSON of one row that breaks off', '{"body__secret":"x","a__b":1', '{"a__b":1'],
    ['from XML with attributes', '<secret type="a">x</secret>', '<secret type="a"></secret>'],
  ])('%s', (_name, text, expected) => {
    expect(cleaned(text)).toBe(expected);
  });

  it.each([
    ['from the front of JSON', '{ "secret" : "x" , "a": 1}', '{ "a": 1}'],
    ['from the middle of JSON', '{"a":1, "secret":"x", "b":2}', '{"a":1, "b":2}'],
    ['from the end of JSON', '{"a":1 , "secret":"x" }', '{"a":1  }'],
    ['from each of several lines', '{"secret":"x","a":1}\n{"b":2,"secret":"y"}\n', '{"a":1}\n{"b":2}\n'],
    ['from JSON of nothing else', '{"secret":"x"}', '{}'],
    ['wherever it is repeated in JSON', '{"secret":1,"secret":2,"a":1,"secret":3,"secret":4}', '{"a":1}'],
    ['in escapes', String.raw`{"\u0073ecret":"x","a":1}`, '{"a":1}'],
    [
      'whatever its value',
      '{"secret":{"a":["}",{}]},"a":[1],"secret":[1,[2]],"b":null,"secret":-1.5e3}',
      '{"a":[1],"b":null}',
    ],
    ['where its value holds quotes', String.raw`{"a":1,"secret":"\"x\\","b":2}`, '{"a":1,"b":2}'],
    ['deep within JSON', '{"body":[{"secret":"x","type":"sms"}]}', '{"body":[{"type":"sms"}]}'],
    ['under a flat key', '{"data[secret]":"x","a":1}', '{"a":1}'],
    ['from JSON cut off', '{"a":1,"secret":"x', '{"a":1'],
    ['from JSON that lacks a mark, and nothing else with it', '{"a":1,"b" "secret":2}', '{"a":1,"b" }'],
    ['from what is no JSON', "{a:1,secret:'x',b:2}", '{a:1,,b:2}'],
  ])('%s', (_name, text, expected) => {
    expect(cleaned(text, json)).toBe(expected);
  });

  const PART = `--b\r\nContent-Disposition: form-data; name="type"\r\n\r\nsms\r\n`;
  it.each([
    ['from the front of', `SECRET${PART}--b--\r\n`, `${PART}--b--\r\n`],
    ['from the end of', `${PART}SECRET--b--\r\n`, `${PART}--b--\r\n`],
    ['from the middle of', `${PART}SECRET${PART}--b--`, `${PART}${PART}--b--`],
  ])('%s a multipart form, other bytes left as they are', (_name, text, expected) => {
    const part = `--b\r\nContent-Disposition: form-data; name="Secret"\r\n\r\nx\r\n`;
    expect(cleaned(text.replace('SECRET', part)).trimStart()).toBe(expected);
  });

  it.each([
    ['a pair in a list', '[["secret", "x"],["type","sms"]]', [['secret'], ['type', 'sms']]],
    ['JSON within a form', 'a=1&data=%7B%22secret%22%3A%22x%22%2C%22id%22%3A1%7D', { a: '1', data: { id: 1 } }],
    ['JSON in percent signs', '%7B%22secret%22%3A%22x%22%2C%22a%22%3A1%7D', { a: 1 }],
    ['JSON in a text', String.raw`{"data":"{\"secret\":\"x\",\"m\":\"é\"}","a":1}`, { data: { m: 'é' }, a: 1 }],
    ['JSON that was written twice', JSON.stringify('{"secret":"x","a":1}'), { a: 1 }],
  ])('with the spelling that it has in %s, and what was read is kept as JSON', (_name, text, read) => {
    expect(JSON.parse(cleaned(text))).toEqual(read);
  });

  it.each([
    ['JSON in a part of a multipart form', multipart({ type: 'sms', payload: JSON.stringify({ secret, a: 1 }) })],
    ['a form in a text', JSON.stringify({ headers: {}, body: toForm(sms) })],
    ['JSON in a text', JSON.stringify([{ body: JSON.stringify(sms) }])],
    ['JSON that two relays wrote, in a text', JSON.stringify({ body: JSON.stringify(JSON.stringify(sms)) })],
    ['JSON that was written three times', JSON.stringify(JSON.stringify(JSON.stringify(sms)))],
    ['JSON that two relays wrote, in a form', `payload=${encodeURIComponent(JSON.stringify(JSON.stringify(sms)))}`],
    ['a multipart form of too many parts', MANY_PARTS],
    ['a multipart form in a text', JSON.stringify({ body: multipart(sms) })],
  ])('from %s', (_name, text) => {
    expect(cleaned(text)).not.toContain(secret);
  });

  it('from a multipart body', () => {
    const body = `--b\r\nContent-Disposition: form-data; name="secret"\r\n\r\n${secret}\r\n--b--`;
    expect(cleaned(body, 'multipart/form-data; boundary=b')).not.toContain(secret);
  });

  it('from JSON that is no UTF-8, other bytes left as they are', () => {
    const invalid = Buffer.from([0xff, 0xc3]);
    const body = Buffer.concat([bytes('{"m":"'), invalid, bytes('","secret":"x"}')]);
    expect(withoutSecret(body, json).raw).toEqual(Buffer.concat([bytes('{"m":"'), invalid, bytes('"}')]));
  });
});

describe('nothing is cut', () => {
  it.each([
    ['from a message that speaks of a secret', 'data[message]=secret%3Dx&data[secrets]=1&my_secret=2', form],
    ['from words', 'hello, the secret of A', 'text/plain'],
    ['from words after an ampersand', 'type=sms&data[message]=Tom&my secret plan=x', form],
    ['from words before an equals sign', 'The secret of it is that a=b', 'text/plain'],
    ['from XML that speaks of a secret', '<m>the secret of A</m><n a="1"/>', 'application/xml'],
    ['from a list that begins with the word', '[["secret"],["secret","a","b"],["secret",{}],["a","secret","b"]]', json],
    ['from JSON in which only values say secret', '{"a":"secret","b":["secret"],"secrets":1,"c":"secret:1"}', json],
    ['from a message that holds JSON', String.raw`{"data":{"message":"{\"secret\":\"x\"}"}}`, json],
    ['from bodies without a secret', ' {"a" : "b" }\n', json],
    ['from an empty body', '', form],
    ['deeper within one another than relays wrap', `${'data='.repeat(200_000)}secret=x`, form],
    ['deeper in addresses', JSON.stringify({ url: `${'?url='.repeat(200_000)}secret=x` }), json],
  ])('%s', (_name, text, contentType) => {
    expect(cleaned(text, contentType)).toBe(text);
  });
});

it.each(['sms', 'whatsapp', 'ussd', 'notification'] as const)('leaves all else of the sample %s as it was', (name) => {
  const { form: asForm, json: asJson } = sample(name);
  expect(cleaned(asForm)).toBe(asForm.replace('secret=my-webhook-secret&', ''));
  expect(cleaned(asJson, json)).toBe(asJson.replace(/"secret": "my-webhook-secret",\s*/, ''));
});
