import * as v from 'valibot';
import { Issue } from '#lib/domain/issue.ts';
import { optional } from '#lib/domain/schema.ts';
import { problemResponse } from './problems.ts';

/** What a provider is answered; the receiving functions answer it, the document only tells of it. */
const Receipt = v.object({
  status: v.picklist(['stored', 'duplicate', 'quarantined']),
  id: optional(
    v.string(),
    "The event's; of a duplicate, the one that was there before. While the table is out of reach, the one that it will " +
      'have, unless it contradicts an event that turns out to be there; left out where even the URL could not be looked ' +
      'up: such a delivery is judged when the table is back',
  ),
  ids: optional(v.array(v.string()), 'Of all events, where the body held several'),
  issues: optional(v.array(Issue), 'Why it was not understood; it is kept all the same'),
});

/** For a webhook of `sandbox`; a form is what others post. */
const EXAMPLE = { event: 'message', id: 'example-1', from: '+15550100099', name: 'Ana', text: 'Hello, Hookline!' };
const FORM = 'type=sms&data[id]=1&data[phone]=%2B15550100099&data[message]=Hello';

export const RECEIVING_PATH = '/hooks/{provider}/{token}';

export function receivingPath(providers: readonly string[], schemaOf: (schema: v.GenericSchema) => object): object {
  const parameter = (name: string, schema: object) => ({ name, in: 'path', required: true, schema });
  const post = {
    operationId: 'receive',
    tags: ['Receiving'],
    summary: 'Where a provider posts its events; the URL is what creating a webhook answers',
    security: [],
    parameters: [
      parameter('provider', { type: 'string', enum: providers }),
      {
        ...parameter('token', { type: 'string' }),
        description: 'The end of the URL; the whole URL may be pasted here',
      },
    ],
    requestBody: {
      description: "In the provider's own words; the example is the sandbox's",
      content: { 'application/json': { example: EXAMPLE }, 'application/x-www-form-urlencoded': { example: FORM } },
    },
    responses: {
      200: {
        description: 'It is kept, readable and replayable, whatever it was',
        content: { 'application/json': { schema: schemaOf(Receipt) } },
      },
      401: problemResponse("The provider's own secret or account does not match"),
      404: problemResponse('No such webhook, or it is switched off or replaced'),
      413: problemResponse('The body is larger than 1 MB'),
      503: problemResponse('Not stored; please send it again'),
    },
  };
  return { [RECEIVING_PATH]: { post } };
}
