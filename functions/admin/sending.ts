import * as v from 'valibot';
import { SendBody } from '#lib/app/sends/schema.ts';
import { text } from '#lib/domain/schema.ts';
import { problemResponse } from './problems.ts';

/** What a send request is answered; the function `send` answers it, the document only tells of it. */
const SendAccepted = v.object({
  status: v.literal('success'),
  data: v.object({ message_id: text('For `/api/sends/{messageId}`') }),
});

const EXAMPLE = { action: 'send', phone: '+15550100099', text: 'Hello from Hookline' };

export const SENDING_PATH = '/send/{token}';

export function sendingPath(schemaOf: (schema: v.GenericSchema) => object): object {
  const post = {
    operationId: 'send',
    tags: ['Sending'],
    summary: 'Where a message is handed in; the URL is what creating a webhook of kind `send` answers',
    security: [],
    parameters: [
      {
        name: 'token',
        in: 'path',
        required: true,
        description: 'The end of the URL; the whole URL may be pasted here',
        schema: { type: 'string' },
      },
      {
        name: 'Idempotency-Key',
        in: 'header',
        description: 'A repeat with the same key and body within a day is the same message',
        schema: { type: 'string', minLength: 1, maxLength: 255 },
      },
    ],
    requestBody: { required: true, content: { 'application/json': { schema: schemaOf(SendBody), example: EXAMPLE } } },
    responses: {
      200: {
        description: 'Charged and queued',
        content: { 'application/json': { schema: schemaOf(SendAccepted) } },
      },
      400: problemResponse('The body is no JSON, or a field is wrong; the message names it'),
      402: problemResponse('Not enough credits'),
      404: problemResponse('No such webhook, no account to send from, or no such chat'),
      409: problemResponse('`chat_name` fits several chats, whose ids are told'),
      413: problemResponse('The body is larger than 256 KB'),
      422: problemResponse('The Idempotency-Key was used with another body'),
      429: problemResponse("The account's queue is full"),
      503: problemResponse('Not queued now; please send it again'),
    },
  };
  return { [SENDING_PATH]: { post } };
}
