import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { namedSecrets, redacted, redactedBody } from '#lib/domain/redact.ts';

const TOKEN = 'Vq3_hZr-9tYw2LkXo7Pn1sBd5Fg8Jm0CuEaIiRxTlNQ';
const KEY = `hk_${TOKEN}`;

describe('a secret is told by its form', () => {
  test.each([
    ['a password in a URL', 'see https://ann:pa55%40w:rd@host.example/x', 'see https://[redacted]@host.example/x'],
    ['one in percent signs', 'u=https%3A%2F%2Fann%3Apa55@h.example%2Fx', 'u=https://[redacted]@h.example/x'],
    ['one in percent signs twice', 'https%253A%252F%252Fann%253Apa55%2540h.example', 'https://[redacted]@h.example'],
    ['one escaped', String.raw`{"u":"https:\/\/ann:pa55@h.example\/x`, '{"u":"https://[redacted]@h.example/x'],
    ['one of a database', 'postgres://ann:pa55@db:5432/x', 'postgres://[redacted]@db:5432/x'],
    ['a password with an at sign', 'https://ann:p@55@h.example/a@b', 'https://[redacted]@b'],
    [
      "a webhook's URL",
      `at https://hub.example/hooks/zender/${TOKEN} now`,
      'at https://hub.example/hooks/zender/[redacted] now',
    ],
    ['one for sending', `https://hub.example/send/${TOKEN}?x=1`, 'https://hub.example/send/[redacted]?x=1'],
    ['its path', `/send/${TOKEN}`, '/send/[redacted]'],
    ["a webhook's URL in percent signs", `a=%2Fhooks%2Fgreen-api%2F${TOKEN}&b=1`, 'a=/hooks/green-api/[redacted]&b=1'],
    ['one in percent signs twice', `%252Fhooks%252Fcooby%252F${TOKEN}`, '/hooks/cooby/[redacted]'],
    ['one for sending in percent signs', `%2Fsend%2F${TOKEN}`, '/send/[redacted]'],
    ['one escaped', String.raw`\/hooks\/cooby\/${TOKEN}`, String.raw`\/hooks\/cooby\/[redacted]`],
    ['one escaped twice', String.raw`\\/hooks\\/cooby\\/${TOKEN}`, String.raw`\\/hooks\\/cooby\\/[redacted]`],
    ['one escaped by number', String.raw`\u002fhooks\u002Fcooby\u002f${TOKEN}`, '/hooks/cooby/[redacted]'],
    ['one escaped by number in percent signs', `%5Cu002fsend%5Cu002f${TOKEN}`, '/send/[redacted]'],
    ['one escaped by number in percent signs twice', `%255Cu002fsend%255cU002F${TOKEN}`, '/send/[redacted]'],
    ['one in entities', `&#x2F;hooks&#x2f;cooby&#x2F;${TOKEN}`, '&#x2F;hooks&#x2f;cooby&#x2F;[redacted]'],
    ['one in decimal entities', `&#47;send&#47;${TOKEN}`, '&#47;send&#47;[redacted]'],
    ['one in named entities', `&sol;send&sol;${TOKEN}`, '&sol;send&sol;[redacted]'],
    ['a password with a slash', 'see https://ann:S3cret/x@h.example/a', 'see https://[redacted]@h.example/a'],
    ['one with slashes only', 'https://ann:/x/y@h.example', 'https://[redacted]@h.example'],
    [
      'one with a slash in percent signs',
      'u=https%3A%2F%2Fann%3AS3c%2Fx%40h.example',
      'u=https://[redacted]@h.example',
    ],
    [
      'one with a blank in percent signs, all in percent signs',
      'u=https%3A%2F%2Fann%3AS3cret%2520x%40h.example',
      'u=https://[redacted]@h.example',
    ],
    ['a secret with blanks in percent signs twice', 'u=secret%3DS3cret%2520x%2520y%26a%3D1', 'u=secret=[redacted]&a=1'],
    ['a bearer', 'Authorization: Bearer abc.DEF-1', 'Authorization: [redacted]'],
    ['a bearer among words', 'they sent bearer abc1 to us', 'they sent bearer [redacted] to us'],
    ['basic credentials', '-H "Authorization: Basic dTpw"', '-H "Authorization: [redacted]"'],
    ['a bearer in percent signs', 'h%3DBearer%20abc1', 'h=Bearer [redacted]'],
    ['a signature of S3', 'https://s3/x?X-Amz-Signature=abc&a=1', 'https://s3/x?X-Amz-Signature=[redacted]&a=1'],
    [
      'a credential of S3',
      'https://s3/x?X-Amz-Credential=AKIA%2F1&a=1',
      'https://s3/x?X-Amz-Credential=[redacted]&a=1',
    ],
    ['a signature of Azure', 'https://az/x?se=1&sig=a%2Bb%3D&sp=r', 'https://az/x?se=1&sig=[redacted]&sp=r'],
    ['a key', 'https://maps/x?key=abc&q=1', 'https://maps/x?key=[redacted]&q=1'],
    ['an access token', '/x?access_token=abc#y', '/x?access_token=[redacted]'],
    ['an apikey', '/x?a=1&amp;apikey=abc&amp;b=1', '/x?a=1&amp;apikey=[redacted]&amp;b=1'],
    ['a key in percent signs', 'u=%2Fx%3Fkey%3Dabc%26q%3D1&v=2', 'u=/x?key=[redacted]&q=1&v=2'],
    [
      'a token of GREEN-API',
      'https://7.api.example/waInstance7103/sendMessage/d75b3a66',
      'https://7.api.example/waInstance7103/sendMessage/[redacted]',
    ],
    ['one in percent signs', '%2FwaInstance7103%2FsendMessage%2Fd75b3a66', '/waInstance7103/sendMessage/[redacted]'],
    ['a signing secret', 'whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD=', 'whsec_[redacted]'],
    ['a key of the hub', `the key ${KEY} leaks`, 'the key hk_[redacted] leaks'],
    ['a token that stands alone', `{"text":"${TOKEN}"}`, '{"text":"[redacted]"}'],
    ['one behind percent signs', `a=%22${TOKEN}%22`, 'a="[redacted]"'],
    ['one on a line of its own', String.raw`"x\n${TOKEN}"`, '"x\n[redacted]"'],
    ['an admin key that stands alone', 'it is Vq3_hZr-9tYw2LkXo7Pn1sBd5Fg8Jm0C.', 'it is [redacted].'],
    ['a signed token', 'see eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln', 'see [redacted]'],
  ])('%s', (_, text, expected) => {
    expect(redacted(text)).toBe(expected);
  });

  test.each([
    ['a hash', `${'0123456789abcdef'.repeat(2)} ${'0123456789ABCDEF'.repeat(4)}`],
    ['an id of WhatsApp', '3EB0C431C26A1916E07E 3EB0C431C26A1916E07E3EB0C431C26A'],
    ['a long name', 'messages.receivedNotificationOfTheAccount'],
    ['a name as long as a key', 'receivedNotificationOfTheAccounts'.slice(0, 32)],
    ['what is longer', `${TOKEN}${TOKEN}`],
    ['an ordinary link', 'https://example.com/a/b?page=2#x'],
    ['an address of mail', 'write to ann@example.com, please'],
    ['words behind a name', 'basic training for the bearer of good news'],
    ['a path of a provider', 'http 400: /api/send/whatsapp'],
    ['times and numbers', '12:30, 2 > 1, a=b'],
    ['one without a path', 'https://h.example:8080 ann@h.example'],
  ])('%s stays as it is', (_, text) => {
    expect(redacted(text)).toBe(text);
  });
});

describe('a secret is told by its value', () => {
  const secret = 's/c=r"e t&ü☀\\1';
  test.each([
    ['as it is', secret],
    ['in percent signs', encodeURIComponent(secret)],
    ['in percent signs twice', encodeURIComponent(encodeURIComponent(secret))],
    ['in small percent signs', encodeURIComponent(secret).replace(/%../g, (hex) => hex.toLowerCase())],
    ['as a field of a form', new URLSearchParams([['', secret]]).toString().slice(1)],
    ['in JSON', JSON.stringify(secret).slice(1, -1)],
    ['in JSON within JSON', JSON.stringify(JSON.stringify(secret)).slice(3, -3)],
    ['with escaped slashes', JSON.stringify(secret).slice(1, -1).replaceAll('/', '\\/')],
    [
      'in ASCII',
      JSON.stringify(secret)
        .slice(1, -1)
        .replace(/[^ -~]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`),
    ],
  ])('%s', (_, spelled) => {
    expect(redacted(`so ${spelled} it is`, [secret])).toBe('so [redacted] it is');
  });

  test.each(['', 'a', 'an', 'ann:'])('in base64, behind %j', (before) => {
    for (const alphabet of ['base64', 'base64url'] as const) {
      const spelled = Buffer.from(`${before}${secret}?>~ and more`).toString(alphabet);
      const left = redacted(`so ${spelled} it is`, [`${secret}?>~`]);
      const bytes = left.replace(/\[redacted\]/, '').slice(3);
      expect(left).toContain('[redacted]');
      expect(Buffer.from(bytes, 'base64').toString()).not.toMatch(/s\/c|t&/);
      expect(left.length).toBeLessThan(before.length + 50);
    }
  });

  it.each(['n', 'R', '\\n', '\\', '%5cn', '%', '>', ' ', '\t', '=', '\n', '\r\n', '\u200b', 'nr', '\\nn', '5cn'])(
    'within a moment, in a text that nearly is one of %j again and again',
    (unit) => {
      const value = `${unit.repeat(10)}X`;
      const units = [
        unit,
        `\\${unit}`,
        `\n${unit}`,
        `=\n${unit}`,
        '\\n',
        '\\\\n',
        '\n> >  ',
        '%5cn',
        '\\nn',
        '\\rr',
        '\u200b',
      ];
      const begun = performance.now();
      for (const one of units) {
        for (const other of units) {
          redacted(`${one}${other}`.repeat(20), [value]);
          redactedBody(JSON.stringify({ token: value, a: `${one}${other}`.repeat(20) }));
        }
      }
      expect(performance.now() - begun).toBeLessThan(2000);
    },
  );

  it('within a moment, where the text begins as it does', () => {
    const begun = performance.now();
    redacted(`%${'a'.repeat(60)}`, [`${'a'.repeat(20)}X`]);
    expect(performance.now() - begun).toBeLessThan(1000);
  });

  it.each(['', 'x', '/', 'hooks', 'token=', 'token="', '&sig=', '%5c', 'bearer '])(
    'in a time that grows with the text alone, behind %j and thousands of backslashes',
    (before) => {
      const timeOf = (count: number) => {
        const text = `${before}${'\\'.repeat(count)}`;
        const times = Array.from({ length: 3 }, () => {
          const begun = performance.now();
          redacted(text, ['made-up-secret']);
          return performance.now() - begun;
        });
        return Math.min(...times);
      };
      // Four times the text takes sixteen times as long where each backslash has all others looked through.
      expect(timeOf(16_000)).toBeLessThan(8 * timeOf(4_000) + 20);
    },
  );

  it.each(['token=ab\\cd', 'token=ab\\\\', '&sig=\\\\ab'])('with the backslashes of a value: %s', (text) => {
    expect(redacted(`${text}" more`)).toMatch(/^(?:token|&sig)=\[redacted\]\\*" more$/);
  });

  it.each([
    ['many values that nearly are its letters', 20, 200, 'n'],
    ['the same over the ends of lines', 20, 200, 'n\n'],
    ['the same in percent signs', 20, 400, '%6e'],
    ['values of thousands of letters', 4, 3500, 'n%'],
  ])('within a moment, in %s', (_, count, length, unit) => {
    const values = Array.from({ length: count }, (_, number) => `${'n'.repeat(length)}${number}x`);
    const begun = performance.now();
    const left = redacted(`${unit.repeat(3000)} ${values.at(-1)}`, values);
    expect(performance.now() - begun).toBeLessThan(1000);
    expect(left.endsWith('x')).toBe(false);
  });

  it('whole, where one begins another', () => {
    expect(redacted('abcd abcdef', ['abcd', 'abcdef'])).toBe('[redacted] [redacted]');
  });

  it('where a field that is named for it gave it away', () => {
    const body = { token: 'Zx81Zx81', words: ['it is Zx81Zx81'] };
    expect(redactedBody(JSON.stringify(body))).toBe('{"token":"[redacted]","words":["it is [redacted]"]}');
    expect(namedSecrets(JSON.stringify(body))).toEqual(['Zx81Zx81']);
    expect(namedSecrets('secret=Zx81Zx81&text=hi')).toEqual(['Zx81Zx81']);
    expect(namedSecrets({ authorization: 'Bearer Zx81Zx81', accept: 'text/html' })).toEqual(['Zx81Zx81']);
  });
});

describe('a secret is told by its name', () => {
  test.each([
    ['a form', 'phone=1&api_secret_key=abc&text=hi', 'phone=1&api_secret_key=[redacted]&text=hi'],
    ['broken JSON', '{"myToken": "a b\\" c", "text": "hi"', '{"myToken": "[redacted]", "text": "hi"'],
    ['a text that ends within a secret', 'password: "abc', 'password: "[redacted]'],
    ['a password with blanks', 'password: correct horse\nphone: 1', 'password: [redacted]\nphone: 1'],
    ['broken JSON with a list', '{"tokens":["a","b"],\n"text":"hi"', '{"tokens":[redacted]\n"text":"hi"'],
    ['JSON', '{"a":{"password":["x"],"sig":"y"},"n":1}', '{"a":{"password":"[redacted]","sig":"[redacted]"},"n":1}'],
    ['JSON within JSON', JSON.stringify({ data: '{"token":["a","b"],"x":1}' }), '{"data":"{"token":[redacted]'],
    ['JSON within a form', 'data=%7B%22token%22%3A%22abc%22%7D&x=1', 'data={"token":"[redacted]"}&x=1'],
    ['two fields in percent signs', 'd=%22token%22%3A%22ab%22%2C%22text%22%3A%22y', 'd="token":"[redacted]","text":"y'],
    ['a header', 'Cookie: a=b; c=d', 'Cookie: [redacted]'],
    ['XML', '<token>abc</token>', '<token>[redacted]</token>'],
    [
      'a part of a form',
      '--b\r\nname="secret"\r\n\r\nab c\r\n--b--',
      '--b\r\nname="secret"\r\n\r\n[redacted]\r\n--b--',
    ],
    ['a key of JSON', JSON.stringify({ 'https://ann:pa55@h.example': 1 }), '{"https://[redacted]@h.example":1}'],
  ])('in %s', (_, body, excerpt) => {
    expect(redactedBody(body)).toBe(excerpt);
  });
});

describe('an excerpt', () => {
  test.each([
    ...[
      'a',
      'secret',
      'secret ',
      '"secret',
      '/',
      '//',
      '\\/',
      'https:',
      'https://a',
      '%2F',
      '%25',
      '%252f',
      'hooks/',
      '/send/',
    ],
    ...[
      'bearer ',
      'token%22',
      'waInstance1/',
      'name="',
      'name="token"\r\n',
      '\\u002f',
      '[',
      '{"token":',
      '@',
      'eyJ',
      '\\',
      '%5c',
      '"',
    ],
  ])(
    'is cut from a megabyte of %j',
    (part) => {
      const body = part.repeat(1_000_000 / part.length);
      // What looks at a character again and again takes minutes for this, and runs into the test's limit.
      expect(
        redactedBody(body, [TOKEN, String.raw`\\\\\\\\`, part.repeat(20), '%25%25%25%25']).length,
      ).toBeLessThanOrEqual(4000);
    },
    60_000,
  );

  test.each([
    ['a named one', `text=hi&token=${'x'.repeat(100_000)}`, 'text=hi&'],
    ['a password', `https://ann:${'x'.repeat(100_000)}@h.example`, ''],
  ])('holds no secret that reaches beyond what is looked at: %s', (_, body, excerpt) => {
    expect(redactedBody(body)).toBe(excerpt);
  });

  it('holds no half of a secret where it is cut', () => {
    const body = `${'x'.repeat(3970)} https://h.example/hooks/zender/${TOKEN}`;
    for (const known of [[], [TOKEN]]) expect(redactedBody(body, known)).not.toContain(TOKEN.slice(0, 4));
    expect(redactedBody(`${'x'.repeat(3990)} ${TOKEN}`, [TOKEN])).not.toContain(TOKEN.slice(0, 4));
  });
});

describe('a secret that is put anywhere', () => {
  const letters = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'];
  const secret = fc
    .string({ unit: fc.constantFrom(...letters), minLength: 20, maxLength: 43 })
    .map((text) => `9Z${text}`);
  const forms: ((secret: string) => string)[] = [
    (it) => `https://ann:${it}@host.example/path`,
    (it) => `ftp://${it}@host.example`,
    (it) => `https://hub.example/hooks/green-api/${it}`,
    (it) => `https://hub.example/hooks/timelinesai/${it}/?x=1`,
    (it) => `/send/${it}`,
    (it) => `https://s3.example/a?X-Amz-Date=1&X-Amz-Signature=${it}`,
    (it) => `https://az.example/a?sig=${it}&se=1`,
    (it) => `https://maps.example/a?key=${it}`,
    (it) => `https://a.example/?access_token=${it}`,
    (it) => `https://a.example/?x=1&apikey=${it}`,
    (it) => `https://7103.api.example/waInstance7103000/sendMessage/${it}`,
    (it) => `Authorization: Bearer ${it}`,
    (it) => `basic ${it}==`,
    (it) => `whsec_${it}`,
    (it) => `hk_${it}`,
    (it) => `token=${it}`,
    (it) => JSON.stringify({ apiTokenInstance: it }),
    (it) => JSON.stringify({ a: [{ Password: it }] }),
  ];
  const spellings: ((text: string) => string)[] = [
    (text) => text,
    encodeURIComponent,
    (text) => encodeURIComponent(encodeURIComponent(text)),
    (text) => encodeURIComponent(text).replace(/%../g, (hex) => hex.toLowerCase()),
    (text) => JSON.stringify(text).slice(1, -1),
    (text) => JSON.stringify(JSON.stringify(text).slice(1, -1)).slice(1, -1),
    (text) => JSON.stringify(text).slice(1, -1).replaceAll('/', '\\/'),
    (text) => encodeURIComponent(JSON.stringify(text)),
  ];
  const shapes: ((text: string, filler: string) => string)[] = [
    (text) => text,
    (text, filler) => `${filler} ${text} ${filler}`,
    (text, filler) => JSON.stringify({ event: filler, text: `look: ${text}` }),
    (text, filler) => JSON.stringify([filler, { deep: [[text]] }]),
    (text) => JSON.stringify({ [text]: true }),
    (text, filler) => JSON.stringify({ payload: JSON.stringify({ text, filler }) }),
    (text) => `{"broken": ["${text}"`,
    (text, filler) => new URLSearchParams({ a: filler, text, b: filler }).toString(),
    (text, filler) => new URLSearchParams({ data: JSON.stringify({ text, filler }) }).toString(),
    (text, filler) => `--b\r\ncontent-disposition: form-data; name="text"\r\n\r\n${text}\r\n${filler}\r\n--b--`,
    (text) => `<a href="${text}">`,
    (text) => `${'z'.repeat(3960)} ${text}`,
  ];
  const filler = fc.string({ unit: 'grapheme', maxLength: 30 });

  it('comes through in no form, spelling or shape', () => {
    fc.assert(
      fc.property(
        secret,
        fc.constantFrom(...forms),
        fc.constantFrom(...spellings),
        fc.constantFrom(...shapes),
        filler,
        (it, form, spelling, shape, words) => {
          const excerpt = redactedBody(shape(spelling(form(it)), words));
          expect(excerpt).not.toContain(it.slice(0, 8));
          expect(excerpt).not.toContain(it.slice(-8));
        },
      ),
      { numRuns: 3000 },
    );
  });

  it('comes through in no spelling where it is known, whatever its characters', () => {
    const any = fc.string({ unit: 'binary', minLength: 8, maxLength: 60 }).filter((text) => text.isWellFormed());
    fc.assert(
      fc.property(
        any,
        fc.constantFrom(...spellings),
        fc.constantFrom(...shapes),
        filler,
        (it, spelling, shape, words) => {
          fc.pre(!words.includes(it));
          const spelled = spelling(it);
          expect(redactedBody(shape(spelled, words), [it])).not.toContain(spelled);
        },
      ),
      { numRuns: 1000 },
    );
  });
});
