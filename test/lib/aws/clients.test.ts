import { createHash, createHmac } from 'node:crypto';
import { SendMessageCommand } from '@aws-sdk/client-sqs';
import { expect, test } from 'vitest';
import { dynamoDbClient, sqsClient, ssmClient } from '#lib/aws/clients.ts';
import { dynamoStore } from '#lib/aws/dynamo-store.ts';
import { ssmSecrets } from '#lib/aws/outgoing.ts';
import { ok, refusal, settingsOver, taken } from '#test/support/aws-wire.ts';

test.each([
  ['eu-central-1', 'amazonaws.com'],
  ['cn-north-1', 'amazonaws.com.cn'],
])('in %s the services are found under %s', async (region, domain) => {
  const hosts: (string | undefined)[] = [];
  const settings = settingsOver(async (operation, { host }, body) => {
    hosts.push(host);
    return operation === 'SendMessage' ? taken(body) : ok();
  });
  const here = { ...settings, region };
  const message = { QueueUrl: `https://sqs.${region}.${domain}/1/q`, MessageBody: '{}' };
  await sqsClient(here).send(new SendMessageCommand(message));
  await dynamoStore(dynamoDbClient(here), 'table').get({ pk: 'A', sk: 'META' });
  await ssmSecrets(ssmClient(here), '/p').delete('x');
  expect(hosts).toEqual(['sqs', 'dynamodb', 'ssm'].map((service) => `${service}.${region}.${domain}`));
});

test('a queue is asked again when it does not answer, a few times', async () => {
  let attempts = 0;
  const sqs = sqsClient(
    settingsOver(async () => {
      attempts++;
      return refusal('ServiceUnavailable', 503);
    }),
  );
  await expect(
    sqs.send(new SendMessageCommand({ QueueUrl: 'https://sqs.eu-central-1.amazonaws.com/1/q', MessageBody: 'x' })),
  ).rejects.toThrow();
  expect(attempts).toBe(3);
});

test('requests to the table take only the steps that do something', async () => {
  const sent: Readonly<Record<string, string>>[] = [];
  const client = dynamoDbClient(
    settingsOver(async (_operation, headers) => {
      sent.push(headers);
      return ok();
    }),
  );
  await dynamoStore(client, 'table').get({ pk: 'A', sk: 'META' });
  expect(client.middlewareStack.identify().filter((step) => /logger|userAgent/i.test(step))).toEqual([]);
  expect(Object.keys(sent[0] ?? {}).filter((name) => /^user-agent|^amz-sdk/.test(name))).toEqual([]);
});

test('requests to the table are signed as AWS reads them', async () => {
  const sent: { readonly headers: Readonly<Record<string, string>>; readonly body: string }[] = [];
  const settings = settingsOver(async (_operation, headers, body) => {
    sent.push({ headers: { ...headers }, body });
    return ok();
  });
  const store = dynamoStore(dynamoDbClient(settings), 'table');
  await store.get({ pk: 'A', sk: 'META' });
  await store.write({ kind: 'put', item: { pk: 'é', sk: 'META', text: 'x'.repeat(5000) } });
  expect(sent.map(({ headers }) => headers.authorization)).toEqual(sent.map(signatureOf));
});

/** By the rules of Signature Version 4, as AWS publishes them. */
function signatureOf({ headers, body }: { readonly headers: Readonly<Record<string, string>>; readonly body: string }) {
  const hash = (text: string) => createHash('sha256').update(text).digest('hex');
  const hmac = (key: string | Buffer, text: string) => createHmac('sha256', key).update(text).digest();
  const [, names = ''] = /SignedHeaders=([^,]+)/.exec(headers.authorization ?? '') ?? [];
  const lines = names.split(';').map((name) => `${name}:${headers[name]}\n`);
  const request = ['POST', '/', '', lines.join(''), names, hash(body)].join('\n');
  const date = headers['x-amz-date'] ?? '';
  const scope = [date.slice(0, 8), 'eu-central-1', 'dynamodb', 'aws4_request'];
  const key = scope.reduce<string | Buffer>(hmac, 'AWS4secret');
  const signature = hmac(key, ['AWS4-HMAC-SHA256', date, scope.join('/'), hash(request)].join('\n')).toString('hex');
  return `AWS4-HMAC-SHA256 Credential=id/${scope.join('/')}, SignedHeaders=${names}, Signature=${signature}`;
}

test('requests under way at once each get their own answer, or their own refusal', async () => {
  const waiting = Promise.withResolvers<void>();
  let arrived = 0;
  const store = dynamoStore(
    dynamoDbClient(
      settingsOver(async (_operation, _headers, body) => {
        const { Key } = JSON.parse(body);
        arrived += 1;
        if (arrived === 3) waiting.resolve();
        await waiting.promise;
        return Key.pk.S === 'B' ? refusal('ValidationException') : ok({ Item: { ...Key, name: Key.pk } });
      }),
    ),
    'table',
  );
  const answers = await Promise.allSettled(['A', 'B', 'C'].map((pk) => store.get({ pk, sk: 'META' })));
  expect(answers).toEqual([
    { status: 'fulfilled', value: { pk: 'A', sk: 'META', name: 'A' } },
    { status: 'rejected', reason: expect.objectContaining({ code: 'ValidationException' }) },
    { status: 'fulfilled', value: { pk: 'C', sk: 'META', name: 'C' } },
  ]);
});
