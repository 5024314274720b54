import { createHash, createHmac } from 'node:crypto';
import { SignatureV4 } from '@smithy/signature-v4';
import { expect, it } from 'vitest';
import { awsClient, DYNAMODB } from '#lib/adapters/aws/client.ts';

/** What the client computes by other means, for speed. */
class PlainSha256 {
  readonly #hash;
  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.#hash = secret === undefined ? createHash('sha256') : createHmac('sha256', viewOf(secret));
  }
  update(data: string | ArrayBuffer | ArrayBufferView): void {
    this.#hash.update(viewOf(data));
  }
  digest(): Promise<Uint8Array> {
    return Promise.resolve(this.#hash.digest());
  }
  reset(): void {
    throw new Error('not used');
  }
}

function viewOf(data: string | ArrayBuffer | ArrayBufferView): Uint8Array {
  if (typeof data === 'string') return Buffer.from(data);
  if (data instanceof ArrayBuffer) return new Uint8Array(data);
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

it.each([1, 40, 60, 61, 200])('signs with a secret of %d characters as AWS expects', async (length) => {
  const credentials = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 's'.repeat(length) };
  let sent: { headers: Record<string, string>; body: string } | undefined;
  const client = awsClient(
    DYNAMODB,
    { region: 'eu-central-1', ...credentials, timeoutMs: 1 },
    async (_, headers, body) => {
      sent = { headers, body };
      return { status: 200, text: '{}' };
    },
  );
  await client('PutItem', { TableName: 'ä' });
  const { authorization, ...unsigned } = sent?.headers ?? {};
  const signer = new SignatureV4({
    service: 'dynamodb',
    region: 'eu-central-1',
    credentials,
    sha256: PlainSha256,
    applyChecksum: false,
  });
  const signingDate = (unsigned['x-amz-date'] ?? '').replace(/^(....)(..)(..)T(..)(..)(..)Z$/, '$1-$2-$3T$4:$5:$6Z');
  const again = await signer.sign(
    {
      method: 'POST',
      protocol: 'https:',
      hostname: unsigned.host ?? '',
      path: '/',
      query: {},
      headers: unsigned,
      body: sent?.body,
    },
    { signingDate },
  );
  expect(again.headers.authorization).toBe(authorization);
});
