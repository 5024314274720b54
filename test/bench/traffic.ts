import { readFileSync } from 'node:fs';
import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import { cooby } from '#functions/cooby/provider.ts';
import { greenApi } from '#functions/green-api/provider.ts';
import { sandbox } from '#functions/sandbox/provider.ts';
import { timelinesAi } from '#functions/timelinesai/provider.ts';
import { zender } from '#functions/zender/provider.ts';
import type { ReceivingProvider } from '#lib/inbox/provider.ts';
import { withMessage } from '#test/functions/cooby/payloads.ts';
import { incoming, senderData, status, textData } from '#test/functions/green-api/payloads.ts';

/** What a provider sends most: one text message, each time another. */
export interface Traffic {
  readonly provider: ReceivingProvider;
  readonly contentType: string;
  /** Left out, `chat` is another one each time, where the provider's traffic has many. */
  body(number: number | string, chat?: number): string;
}

/** What is old may have come before, and costs a look. */
const seconds = () => Math.floor(Date.now() / 1000);

const json = 'application/json';
const timelines = readFileSync(
  new URL('../functions/timelinesai/fixtures/message-received.json', import.meta.url),
  'utf8',
);

/** Messages come from so many in turn: one chat would be one item that all of them write to. */
export const PEOPLE = 1000;
let chats = 0;

export const greenApiTraffic: Traffic = {
  provider: greenApi,
  contentType: json,
  body: (number, chat = chats++) => {
    const chatId = `1202555${String(chat % PEOPLE).padStart(4, '0')}@c.us`;
    const timestamp = seconds();
    const person = { ...senderData, chatId, sender: chatId };
    return JSON.stringify(incoming(textData, { idMessage: `3EB0C0FFEE${number}`, timestamp, senderData: person }));
  },
};

/** What becomes of a message that was sent. */
export const greenApiStatus = (of: { idMessage: string; chatId: string; status: string }): string =>
  JSON.stringify({ ...status, timestamp: seconds(), ...of });

export const traffic: readonly Traffic[] = [
  greenApiTraffic,
  {
    provider: cooby,
    contentType: json,
    body: (number) => JSON.stringify({ ...withMessage({ id: `3EB0AA${number}` }), timestamp: String(seconds()) }),
  },
  {
    provider: timelinesAi,
    contentType: json,
    body: (number) =>
      timelines
        .replace(/"message_uid": "[^"]*"/, `"message_uid": "uid-${number}"`)
        .replace(
          /"timestamp": "[^"]*"/,
          `"timestamp": "${new Date().toISOString().replace(/T(.*)\..*/, ' $1')} +0000"`,
        ),
  },
  {
    provider: zender,
    contentType: 'application/x-www-form-urlencoded',
    body: (number) =>
      `secret=a-secret&type=whatsapp&data[id]=${number}&data[wid]=%2B15550100001&data[phone]=%2B15550100099` +
      `&data[message]=Hello+World%21&data[attachment]=0&data[timestamp]=${seconds()}`,
  },
  {
    provider: sandbox,
    contentType: json,
    body: (number) =>
      JSON.stringify({ event: 'message', id: `m-${number}`, chat: '+15550100099', text: 'good morning' }),
  },
];

export function gatewayEvent({ provider, contentType }: Traffic, token: string, body: string): APIGatewayProxyEventV2 {
  return postTo(`/hooks/${provider.name}`, token, body, contentType);
}

/** A request as API Gateway hands it to a function: forms in base64. */
export function postTo(under: string, token: string, body: string, contentType = json): APIGatewayProxyEventV2 {
  const isBase64Encoded = contentType !== json;
  const routeKey = `POST ${under}/{token}`;
  const path = `${under}/${token}`;
  return {
    version: '2.0',
    routeKey,
    rawPath: path,
    rawQueryString: '',
    headers: { 'content-type': contentType, 'user-agent': 'bench', host: 'hub.example' },
    pathParameters: { token },
    requestContext: {
      accountId: '000000000000',
      apiId: 'bench',
      domainName: 'hub.example',
      domainPrefix: 'hub',
      http: { method: 'POST', path, protocol: 'HTTP/1.1', sourceIp: '192.0.2.7', userAgent: 'bench' },
      requestId: 'bench',
      routeKey,
      stage: '$default',
      time: '01/Mar/2026:12:00:00 +0000',
      timeEpoch: 1772366400000,
    },
    body: isBase64Encoded ? Buffer.from(body).toString('base64') : body,
    isBase64Encoded,
  };
}
