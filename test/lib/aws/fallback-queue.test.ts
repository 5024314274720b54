import { createHash } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { sqsClient } from '#lib/aws/clients.ts';
import { chunkOf, chunksOf, envelopeOf, fallbackQueue } from '#lib/aws/queues.ts';
import { sha256 } from '#lib/domain/ids.ts';
import { type Envelope, QueueUnavailable } from '#lib/inbox/records.ts';
import { settingsOver, taken, type Wire } from '#test/support/aws-wire.ts';
import { NOW } from '#test/support/receiving.ts';

/** SQS takes no longer message; told to the byte in its documentation. */
const LONGEST_MESSAGE = 256 * 1024;

/** Eight chunks of 200 KB in base64. */
const MOST_BYTES = (8 * 200 * 1024 * 3) / 4;

const blocks = Array.from({ length: MOST_BYTES / 32 }, (_, i) => createHash('sha256').update(`${i}`).digest());
/** Bytes that no compression makes shorter. */
const noise = (length: number): Uint8Array => Buffer.concat(blocks).subarray(0, length);

function envelope(raw: Uint8Array): Envelope {
  return {
    webhook: { webhookId: 'wh_1', workspace: 'main' },
    provider: 'courier',
    contentType: 'application/octet-stream',
    raw,
    bodyHash: sha256(raw),
    receivedAt: NOW,
  };
}

/** How much of noise fits: gzip adds a little of its own. */
function longest(): number {
  let [fits, not] = [MOST_BYTES - 1_000, MOST_BYTES];
  while (not - fits > 1) {
    const middle = Math.floor((fits + not) / 2);
    if (chunksOf(envelope(noise(middle))).length <= 8) fits = middle;
    else not = middle;
  }
  return fits;
}

const queueOver = (wire: Wire) =>
  fallbackQueue(sqsClient(settingsOver(wire)), 'https://sqs.eu-central-1.amazonaws.com/1/fallback');

function recording() {
  const messages: string[] = [];
  const queue = queueOver(async (_operation, _headers, body) => {
    messages.push(JSON.parse(body).MessageBody);
    return taken(body);
  });
  return { messages, queue };
}

describe('the fallback queue', () => {
  let most: number;
  beforeAll(() => {
    most = longest();
  }, 60_000);

  it('takes the largest parcel that fits, and gives it back whole', async () => {
    const raw = noise(most);
    expect(raw.length).toBeGreaterThan(1_048_576);
    const { messages, queue } = recording();
    expect(await queue.send(envelope(raw))).toBe(true);
    expect(messages).toHaveLength(8);
    for (const message of messages) expect(Buffer.byteLength(message)).toBeLessThanOrEqual(LONGEST_MESSAGE);
    const chunks = messages.map(chunkOf).sort((a, b) => a.index - b.index);
    const [first] = chunks;
    const back = first && envelopeOf(first, chunks.map(({ data }) => data).join(''));
    expect(back && Buffer.from(back.raw).equals(raw)).toBe(true);
  });

  it('refuses a parcel that is a byte too large, whole', async () => {
    const { messages, queue } = recording();
    const raw = noise(most + 1);
    expect(await queue.send(envelope(raw))).toBe(false);
    expect(messages).toEqual([]);
  });

  it('says of a failure that it may be tried again', async () => {
    const silent = queueOver(() => Promise.reject(Object.assign(new Error('no answer'), { code: 'ECONNRESET' })));
    await expect(silent.send(envelope(noise(10)))).rejects.toThrow(QueueUnavailable);
  });

  it('tells nothing of a message that is no parcel', () => {
    for (const body of ['{"text": private words}', '{"data":"private words","provider":7}'])
      expect(() => chunkOf(body)).toThrow(/^(?!.*private).*no parcel/);
  });
});
