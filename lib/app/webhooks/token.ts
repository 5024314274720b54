import { sha256 } from '#lib/domain/ids.ts';
import type { Random } from '../ports.ts';
import type { Webhook } from './webhook.ts';

const TOKEN_BYTES = 32;
const SHOWN_CHARACTERS = 6;

export interface Token {
  /** Part of a URL, and its only credential: handed out once, never stored or logged. */
  readonly token: string;
  readonly tokenHash: string;
  readonly tokenPrefix: string;
}

export function newToken(random: Random): Token {
  const token = Buffer.from(random.bytes(TOKEN_BYTES)).toString('base64url');
  return { token, tokenHash: sha256(token), tokenPrefix: token.slice(0, SHOWN_CHARACTERS) };
}

/** Whether it could be the token of a webhook: 43 characters, of which the last holds four bits only. */
export function looksLikeToken(text: string): boolean {
  return /^[\w-]{42}[048AEIMQUYcgkosw]$/.test(text);
}

/** The path of a webhook's URL. */
export function webhookPath({ kind, provider }: Pick<Webhook, 'kind' | 'provider'>, token: string): string {
  return kind === 'send' ? `/send/${token}` : `/hooks/${provider}/${token}`;
}
