import { file } from './answers.ts';

interface Untrusted {
  readonly bytes: Uint8Array;
  /** As somebody sent it. */
  readonly contentType: string;
}

// A header may hold visible characters only; what is no media type at all is no use to anybody.
const MEDIA_TYPE = /^[\w.+-]+\/[\w.+-]+(?:\s*;[\t\x20-\x7e]*)?$/;

/** Bytes of a stranger, for download: whatever they hold, no browser runs or shows them in our name. */
export function untrustedFile({ bytes, contentType }: Untrusted, name: string) {
  return file(new Uint8Array(bytes), {
    'content-type': MEDIA_TYPE.test(contentType) ? contentType : 'application/octet-stream',
    'content-disposition': `attachment; filename="${name.replace(/\W/g, '')}.raw"`,
    'content-security-policy': "default-src 'none'; sandbox",
  });
}
