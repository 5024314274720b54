import { expect, it } from 'vitest';
import { sampleOf } from '#functions/admin/console/samples.ts';
import { providers } from '#functions/providers.ts';
import { ReceivingBench } from '#test/support/receiving.ts';

const told = {
  now: Date.parse('2026-03-01T12:00:00Z'),
  id: '3EB0538DA65A59F6D8A2',
  text: 'Hello, Hookline!',
  person: 0,
};

it.each(providers.map(({ account, receiving }) => [account.name, receiving] as const))(
  'the sample of %s is read as a message that came in, by the secret if one is checked',
  async (name, receiving) => {
    const bench = new ReceivingBench(receiving);
    await bench.addWebhook(name);
    const { body = '', contentType = '', headers } = sampleOf(name, { ...told, secret: 'the-secret' }) ?? {};
    const answer = await bench.post(body, { headers: { 'content-type': contentType, ...headers } });
    const { event } = await bench.record(answer.body.id);
    expect(event).toMatchObject({
      kind: 'message',
      message: { direction: 'inbound', content: { type: 'text', text: told.text } },
    });
    if (receiving.proofOf) expect(body + JSON.stringify(headers)).toContain('the-secret');
  },
);

it('each of the people who write samples has a name and a number of their own', () => {
  const people = Array.from({ length: 88 }, (_, person) => {
    const { body = '' } = sampleOf('sandbox', { ...told, person }) ?? {};
    return /"from":"(\+\d+)","name":"([^"]+)"/.exec(body)?.slice(1) ?? [];
  });
  expect(new Set(people.map(([phone]) => phone)).size).toBe(88);
  expect(new Set(people.map(([, name]) => name)).size).toBe(88);
});
