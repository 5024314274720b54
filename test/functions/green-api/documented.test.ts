import { describe, expect, it } from 'vitest';
import { greenApi } from '#functions/green-api/provider.ts';
import { expectOneShape, read } from '#test/support/describe-reading.ts';
import { documentedContents, documentedEvents } from './documented.ts';
import { incoming } from './payloads.ts';

const draftOf = (payload: object) => {
  const reading = read(greenApi, { name: '', payload });
  if (!('drafts' in reading)) throw new Error(JSON.stringify(reading.issues));
  return reading.drafts[0];
};

describe('what the documentation shows is understood', () => {
  it.each(documentedEvents.map((event) => [event.typeWebhook, event] as const))('%s', (_, event) => {
    expectOneShape(draftOf(event));
    expect(draftOf(event).occurredAt).toBeGreaterThan(Date.UTC(2026, 0));
  });

  it.each(documentedContents.map((content) => [content.typeMessage, content] as const))('%s', (_, content) => {
    const { payload, placeholder } = draftOf(incoming(content));
    const type = payload.kind === 'message' ? payload.message.content.type : payload.kind;
    expect(type === 'unsupported').toBe(placeholder === true);
  });
});
