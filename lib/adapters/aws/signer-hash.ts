import { hash } from 'node:crypto';

/** SHA-256 and HMAC as the signer asks for them, on Node's own hash. */
export class SignerHash {
  readonly #secret: Uint8Array | undefined;
  readonly #data: Uint8Array[] = [];

  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.#secret = secret === undefined ? undefined : bytesOf(secret);
  }

  update(data: string | ArrayBuffer | ArrayBufferView): void {
    this.#data.push(bytesOf(data));
  }

  async digest(): Promise<Uint8Array> {
    return this.#secret === undefined ? sha256(this.#data) : hmac(this.#secret, this.#data);
  }

  /** The signer makes a new hash for each use and never resets one. */
  reset(): void {
    throw new Error('a used hash cannot be reset');
  }
}

const sha256 = (parts: readonly Uint8Array[]) => hash('sha256', Buffer.concat(parts), 'buffer');
const BLOCK = 64;

/**
 * RFC 2104. Node's `createHmac` spends 9 of its 13 µs on making a key object, twice for each request: a fifth of what
 * a webhook costs.
 */
function hmac(secret: Uint8Array, data: readonly Uint8Array[]): Uint8Array {
  const key = secret.length > BLOCK ? sha256([secret]) : secret;
  return sha256([padded(key, 0x5c), sha256([padded(key, 0x36), ...data])]);
}

function padded(key: Uint8Array, pad: number): Uint8Array {
  const block = new Uint8Array(BLOCK).fill(pad);
  for (const [index, byte] of key.entries()) block[index] = byte ^ pad;
  return block;
}

function bytesOf(data: string | ArrayBuffer | ArrayBufferView): Uint8Array {
  if (typeof data === 'string') return Buffer.from(data, 'utf8');
  return ArrayBuffer.isView(data)
    ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    : new Uint8Array(data);
}
