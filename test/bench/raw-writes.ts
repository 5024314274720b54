import { callAws } from '#infra/local/engines/local-aws.ts';
import { marshalMap } from '#lib/aws/dynamo-store.ts';
import type { Wire } from '#test/support/aws-wire.ts';
import { poster } from './client.ts';
import { receivingThrough, webhookRow } from './in-process.ts';
import type { Engine } from './stack.ts';
import { greenApiTraffic } from './traffic.ts';

interface Recorded {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/**
 * The very requests that a webhook makes, recorded beforehand and sent to the engine one after the other as the
 * function sends them: what is left when parsing, signing and our HTTP host cost nothing.
 */
export async function rawWebhooks(
  { endpoint, table }: Engine,
  standIn: Wire,
  count: number,
  connections: number,
  label: string,
): Promise<(number: number) => Promise<void>> {
  const webhook = marshalMap(webhookRow(greenApiTraffic.provider.name));
  await callAws(endpoint, 'DynamoDB_20120810.PutItem', { TableName: table, Item: webhook });
  const recorded: Recorded[][] = [];
  for (let number = 0; number < count; number += 1)
    recorded.push(await record(table, standIn, `raw-${label}-${number}`));
  const post = poster(endpoint, connections);
  return async (number) => {
    for (const { headers, body } of recorded[number] ?? []) {
      const { status, text } = await post('/', headers, body);
      // A chat that a later message has passed is left alone, here as in the function. One that the stand-in meets for the
      // first time is known to the engine.
      const refused = text.includes('ConditionalCheckFailed');
      if (status !== 200 && !refused) throw new Error(`the engine answered ${status} ${text}`);
    }
  };
}

/** `table`: what answers in place of the engine. Once it knows all chats, none of them tells it anything new. */
async function record(name: string, table: Wire, id: string): Promise<Recorded[]> {
  const requests: Recorded[] = [];
  const wire: Wire = async (operation, headers, body) => {
    const { host: _, ...signed } = headers;
    requests.push({ headers: signed, body });
    return table(operation, headers, body);
  };
  await receivingThrough(greenApiTraffic, name, wire)(greenApiTraffic.body(id));
  return requests;
}
