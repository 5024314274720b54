// @vitest-environment happy-dom
import { expect, it } from 'vitest';
import { waysIn } from '../../../../functions/admin/console/ways.ts';

const text = { type: 'string' };
const account = (provider: string, channels: readonly string[], credentials: object) => ({
  properties: { provider: { const: provider }, channel: { enum: channels }, credentials },
});

it('finds in the document each way of connecting, with what it asks for', () => {
  const zender = account('zender', ['sms'], {
    oneOf: [
      {
        properties: { mode: { const: 'devices' }, secret: text, device: text, sim: { enum: [1, 2] } },
        required: ['mode', 'secret', 'device'],
      },
      { properties: { mode: { const: 'credits' }, gateway: text }, required: ['mode', 'gateway'] },
    ],
  });
  const sandbox = account('sandbox', ['whatsapp', 'sms'], { properties: {} });
  const ways = waysIn(
    { oneOf: [sandbox, { $ref: '#/components/schemas/NewZenderSmsAccount' }] },
    { NewZenderSmsAccount: zender },
  );
  expect(ways).toEqual([
    { provider: 'sandbox', channel: 'whatsapp', fixed: {}, fields: [] },
    { provider: 'sandbox', channel: 'sms', fixed: {}, fields: [] },
    {
      provider: 'zender',
      channel: 'sms',
      fixed: { mode: 'devices' },
      fields: [
        { name: 'secret', required: true, isSecret: true },
        { name: 'device', required: true, isSecret: false },
        { name: 'sim', required: false, isSecret: false, choices: [1, 2] },
      ],
    },
    {
      provider: 'zender',
      channel: 'sms',
      fixed: { mode: 'credits' },
      fields: [{ name: 'gateway', required: true, isSecret: false }],
    },
  ]);
});
