import { file } from './answers.ts';

interface Untrusted {
  readonly bytes: Uint8Array;
  /** As somebody sent it. */
  readonly contentType: string;
}

// A header may hold visible characters only; what is no media type at all is no use to anybody.
const MEDIA_TYPE = /^[\w.+-]+\/[\w.+-]+(?:\s*;[\t\x20-\x7e]*)?$/;

/**
 * Bytes of a stranger, for download: whatever they hold, no browser runs or shows them in our name, and nothing on the
 * way decodes them as text. What they were sent as stands in a header of its own.
 */
export function untrustedFile({ bytes, contentType }: Untrusted, name: string) {
  return file(new Uint8Array(bytes), {
    'content-type': 'application/octet-stream',
    ...(MEDIA_TYPE.test(contentType) && { 'hookline-content-type': contentType }),
    'content-disposition': `attachment; filename="${name.replace(/\W/g, '')}.raw"`,
    'content-security-policy': "default-src 'none'; sandbox",
  });
}
