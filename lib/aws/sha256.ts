import { hash } from 'node:crypto';

const BLOCK = 64;

/** What the SDK hashes, and hashes with. */
type Data = string | ArrayBuffer | ArrayBufferView;

/**
 * SHA-256, or HMAC with a key, as the SDK's clients sign with it. Each is one or two calls of Node's `hash`: an object of
 * Node's for each, as the SDK makes it, takes longer than all the rest of the signing.
 */
export class Sha256 {
  readonly #key: Uint8Array | undefined;
  #given: Uint8Array[] = [];

  constructor(secret?: Data) {
    this.#key = secret === undefined ? undefined : keyOf(bytesOf(secret));
    this.reset();
  }

  update(data: Data): void {
    this.#given.push(bytesOf(data));
  }

  async digest(): Promise<Uint8Array> {
    const inner = sha256(this.#given);
    return this.#key ? sha256([padded(this.#key, 0x5c), inner]) : inner;
  }

  reset(): void {
    this.#given = this.#key ? [padded(this.#key, 0x36)] : [];
  }
}

const sha256 = (parts: readonly Uint8Array[]): Uint8Array => hash('sha256', Buffer.concat(parts), 'buffer');

/** RFC 2104: a key longer than a block is its hash, a shorter one is filled up with zeros. */
const keyOf = (secret: Uint8Array): Uint8Array => (secret.length > BLOCK ? sha256([secret]) : secret);

function padded(key: Uint8Array, pad: number): Uint8Array {
  const block = new Uint8Array(BLOCK).fill(pad);
  for (const [index, byte] of key.entries()) block[index] = byte ^ pad;
  return block;
}

function bytesOf(data: Data): Uint8Array {
  if (typeof data === 'string') return Buffer.from(data);
  return ArrayBuffer.isView(data)
    ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    : new Uint8Array(data);
}
