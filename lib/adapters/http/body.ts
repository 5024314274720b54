import { randomBytes } from 'node:crypto';
import type { RequestBody } from '#lib/app/sending/outbound.ts';

export interface Encoded {
  readonly contentType: string;
  readonly bytes: Uint8Array;
}

export async function encode(body: RequestBody): Promise<Encoded> {
  if (body.kind === 'multipart') return multipart(body);
  return { contentType: 'application/json; charset=utf-8', bytes: Buffer.from(JSON.stringify(body.value), 'utf8') };
}

/**
 * Built by FormData, which escapes what a file name must not say. It also writes every line break of a value as CRLF,
 * as browsers do; a message has to arrive as it was written, so line breaks travel under another name.
 */
async function multipart({ fields, file }: Extract<RequestBody, { kind: 'multipart' }>): Promise<Encoded> {
  const nonce = randomBytes(16).toString('hex');
  const stand = { '\r': `${nonce}r`, '\n': `${nonce}n` };
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) {
    form.append(name, value.replaceAll('\r', stand['\r']).replaceAll('\n', stand['\n']));
  }
  if (file) form.append(file.field, new File([new Uint8Array(file.bytes)], file.name, { type: file.mimeType }));
  const response = new Response(form);
  const contentType = response.headers.get('content-type') ?? '';
  let bytes = Buffer.from(await response.arrayBuffer());
  for (const [lineBreak, name] of Object.entries(stand))
    bytes = replaceAll(bytes, Buffer.from(name), Buffer.from(lineBreak));
  return { contentType, bytes };
}

function replaceAll(bytes: Buffer<ArrayBuffer>, from: Buffer, to: Buffer): Buffer<ArrayBuffer> {
  const pieces: Buffer[] = [];
  let start = 0;
  for (let at = bytes.indexOf(from); at >= 0; at = bytes.indexOf(from, start)) {
    pieces.push(bytes.subarray(start, at), to);
    start = at + from.length;
  }
  return start === 0 ? bytes : Buffer.concat([...pieces, bytes.subarray(start)]);
}
