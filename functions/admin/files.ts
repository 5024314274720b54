import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';

/** Nothing inline and nothing from elsewhere; a page calls this API and no other. */
const POLICY = ["default-src 'none'", "script-src 'self'", "style-src 'self'", "connect-src 'self'"];

/** The pages, each with what it loads. */
const PAGES = {
  docs: {
    policy: [...POLICY, "img-src 'self'", "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"],
    cache: () => undefined,
  },
  console: {
    policy: [
      ...POLICY,
      // Media come from wherever a provider keeps them.
      "img-src 'self' data: blob: https:",
      'media-src blob: https:',
      "base-uri 'none'",
      "form-action 'self'",
      "frame-ancestors 'none'",
      // No markup is made of text.
      "require-trusted-types-for 'script'",
    ],
    // The name of a file changes with it, but for the page's.
    cache: (name: string) => (name === '' ? 'no-cache' : 'public, max-age=31536000, immutable'),
  },
};
export type Page = keyof typeof PAGES;

const TYPES = new Map([
  ['html', 'text/html; charset=utf-8'],
  ['js', 'text/javascript; charset=utf-8'],
  ['css', 'text/css; charset=utf-8'],
  ['svg', 'image/svg+xml'],
]);

/** A page, which has no name, or what it loads; `folder` holds a folder of each, as they were built, compressed. */
export async function pageFile(folder: string, page: Page, name: string, accepted = ''): Promise<Response | undefined> {
  const file = name === '' ? 'index.html' : name;
  const type = TYPES.get(/^[\w-]+\.(\w+)$/.exec(file)?.[1] ?? '');
  if (type === undefined) return undefined;
  const coding = ['br', 'gzip'].find((each) => new RegExp(`\\b${each}\\b`).test(accepted));
  const bytes = await readFile(join(folder, page, `${file}.${coding === 'br' ? 'br' : 'gz'}`)).catch(missing);
  if (!bytes) return undefined;
  const { policy, cache } = PAGES[page];
  const caching = cache(name);
  return new Response(new Uint8Array(coding ? bytes : gunzipSync(bytes)), {
    headers: {
      'content-type': type,
      'content-security-policy': policy.join('; '),
      vary: 'accept-encoding',
      ...(coding && { 'content-encoding': coding }),
      ...(caching !== undefined && { 'cache-control': caching }),
    },
  });
}

function missing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
}
