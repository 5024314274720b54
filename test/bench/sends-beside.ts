import { allSends, audit, createAccount, createSendWebhook, type HubApi } from '#test/support/hub-api.ts';
import type { Post } from './client.ts';
import { atMost, type Figure } from './figure.ts';

const accounts = 10;
/** At two seconds each, a queue that lasts for a minute. */
const each = 30;

/** Ten queues that are being sent while something else is measured. Answers what tells how it went. */
export async function sendBeside(hub: HubApi, post: Post): Promise<() => Promise<readonly Figure[]>> {
  const path = await createSendWebhook(hub);
  for (let account = 0; account < accounts; account += 1) {
    const account_id = await createAccount(hub, { provider: 'sandbox', channel: 'whatsapp', credentials: {} });
    for (let number = 0; number < each; number += 1) {
      const message = { action: 'send', account_id, phone: '+15550100099', text: `Message number ${number}` };
      const { status } = await post(path, { 'content-type': 'application/json' }, JSON.stringify(message));
      if (status !== 200) throw new Error(`a message was not taken: ${status}`);
    }
  }
  return () => figuresOf(hub);
}

async function figuresOf(hub: HubApi): Promise<readonly Figure[]> {
  const states: string[] = [];
  for await (const { state } of allSends(hub)) states.push(state);
  const gone = states.filter((state) => ['sent', 'delivered', 'read'].includes(state)).length;
  const uncertain = states.filter((state) => ['unknown', 'failed', 'expired'].includes(state)).length;
  return [
    { name: 'messages sent meanwhile', value: gone, unit: '' },
    { name: 'messages unknown or failed', value: uncertain, unit: '', aim: atMost('value', 0) },
    {
      name: 'credits that do not add up',
      value: (await audit(hub)).ok ? 0 : 1,
      unit: '',
      aim: atMost('value', 0),
    },
  ];
}
