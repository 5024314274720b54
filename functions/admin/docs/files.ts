import answer from './page/answer.js' with { type: 'text' };
import favicon from './page/favicon.svg' with { type: 'text' };
import form from './page/form.js' with { type: 'text' };
import page from './page/index.html' with { type: 'text' };
import main from './page/main.js' with { type: 'text' };
import request from './page/request.js' with { type: 'text' };
import schema from './page/schema.js' with { type: 'text' };
import style from './page/style.css' with { type: 'text' };
import tokens from './page/tokens.css' with { type: 'text' };

const SCRIPT = 'text/javascript; charset=utf-8';

/** The page at `/docs` and what it loads from `/docs/…`, by name; the page itself has none. */
const FILES = new Map([
  ['', { type: 'text/html; charset=utf-8', text: page }],
  ['answer.js', { type: SCRIPT, text: answer }],
  ['favicon.svg', { type: 'image/svg+xml', text: favicon }],
  ['form.js', { type: SCRIPT, text: form }],
  ['main.js', { type: SCRIPT, text: main }],
  ['request.js', { type: SCRIPT, text: request }],
  ['schema.js', { type: SCRIPT, text: schema }],
  ['style.css', { type: 'text/css; charset=utf-8', text: style }],
  ['tokens.css', { type: 'text/css; charset=utf-8', text: tokens }],
]);

/** Nothing from elsewhere and nothing inline; the page calls this API and no other. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

export function docsFile(name: string): Response | undefined {
  const found = FILES.get(name);
  if (!found) return undefined;
  return new Response(found.text, { headers: { 'content-type': found.type, 'content-security-policy': POLICY } });
}
