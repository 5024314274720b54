import { describe, expect, it } from 'vitest';
import { greenApi } from '#functions/green-api/provider.ts';
import { describeReading, read } from '#test/support/describe-reading.ts';
import { incoming } from './payloads.ts';

const typed = (textMessage: string) => incoming({ typeMessage: 'textMessage', textMessageData: { textMessage } });
const unreadable = incoming({ typeMessage: 'textMessage', textMessageData: {} });
const image = { typeMessage: 'imageMessage', fileMessageData: { downloadUrl: 'https://files.example.test/a.jpg' } };

describeReading(greenApi, [
  {
    name: 'a text that could not be read as unsupported, with the reason',
    payload: typed('{{SWE001}}'),
    stored: {
      message: {
        content: { type: 'unsupported', providerType: 'textMessage' },
        error: {
          code: 'SWE001',
          message: 'The content could not be read on a linked device; the message itself may follow',
        },
      },
    },
  },
  {
    name: 'a text whose keys were lost',
    payload: typed('{{SWE003}}'),
    stored: { message: { content: { type: 'unsupported' }, error: { code: 'SWE003' } } },
  },
  {
    name: 'a text from a group that is too large, which explains itself',
    payload: typed('SWE004: group size is over the limit'),
    stored: {
      message: {
        content: { type: 'unsupported', text: 'SWE004: group size is over the limit' },
        error: { code: 'SWE004', message: 'The group is above the supported size' },
      },
    },
  },
  {
    name: 'a mark that is not documented yet',
    payload: typed('{{SWE007}}'),
    stored: {
      message: { error: { code: 'SWE007', message: 'The content could not be handed over' } },
    },
  },
  {
    name: 'a text that came empty',
    payload: unreadable,
    stored: {
      message: { content: { type: 'unsupported', providerType: 'textMessage' }, error: { code: 'SWE999' } },
    },
  },
  {
    name: 'somebody who writes about a mark',
    payload: typed('What is {{SWE001}}?'),
    stored: { message: { content: { type: 'text', text: 'What is {{SWE001}}?' } } },
  },
]);

describe('a placeholder', () => {
  const draftOf = (payload: object) => {
    const reading = read(greenApi, { name: '', payload });
    return 'drafts' in reading ? reading.drafts[0] : undefined;
  };

  it.each([typed('{{SWE001}}'), typed('{{SWE003}}'), unreadable])('is what says nothing yet: %j', (payload) => {
    expect(draftOf(payload)?.placeholder).toBe(true);
  });

  it('is nothing else', () => {
    const tooLarge = { typeMessage: 'videoMessage', fileMessageData: { downloadUrl: '{{SWE002}}' } };
    for (const payload of [
      typed('Hi'),
      incoming(image),
      incoming(tooLarge),
      incoming({ typeMessage: 'moodMessage' }),
    ]) {
      expect(draftOf(payload)).not.toHaveProperty('placeholder');
    }
  });

  it('has the identity of the message that replaces it, whatever its type and time', () => {
    const real = incoming(image, { timestamp: 1795000301 });
    expect(draftOf(real)?.identity).toEqual(draftOf(typed('{{SWE001}}'))?.identity);
  });
});
