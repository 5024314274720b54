import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';

/** Nothing inline and no markup made of text. Media come from wherever a provider keeps them. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self' data: blob: https:",
  'media-src blob: https:',
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
].join('; ');

const TYPES = new Map([
  ['html', 'text/html; charset=utf-8'],
  ['js', 'text/javascript; charset=utf-8'],
  ['css', 'text/css; charset=utf-8'],
]);

/** The page at `/console`, which has no name, and what it loads; `folder` holds them as they were built, compressed. */
export async function consoleFile(folder: string, name: string, accepted = ''): Promise<Response | undefined> {
  const file = name === '' ? 'index.html' : name;
  const type = TYPES.get(/^[\w-]+\.(\w+)$/.exec(file)?.[1] ?? '');
  if (type === undefined) return undefined;
  const coding = ['br', 'gzip'].find((each) => new RegExp(`\\b${each}\\b`).test(accepted));
  const bytes = await readFile(join(folder, `${file}.${coding === 'br' ? 'br' : 'gz'}`)).catch(missing);
  if (!bytes) return undefined;
  return new Response(new Uint8Array(coding ? bytes : gunzipSync(bytes)), {
    headers: {
      'content-type': type,
      'content-security-policy': POLICY,
      vary: 'accept-encoding',
      ...(coding && { 'content-encoding': coding }),
      // Its name changes with it, but for the page's.
      'cache-control': name === '' ? 'no-cache' : 'public, max-age=31536000, immutable',
    },
  });
}

function missing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
}
