import type { Breakdown } from '#lib/domain/sending/outcome.ts';

/** The address of a provider is not one that we may call. Carried through Node's sockets, which know errors only. */
export class ForbiddenAddress extends Error {
  override readonly name = 'ForbiddenAddress';
}

/** How far a request got. Each step is taken for done only when the operating system has said so. */
export interface Progress {
  connected: boolean;
  /** TLS included, where there is any. */
  secured: boolean;
  /** The last byte of the body is out of our hands. */
  written: boolean;
  /** A byte of an answer has come: it may have acted, whatever of the body it cared to read. */
  answered: boolean;
}

// What `request-filtering-agent` says of an address; it has no code for it.
const FILTERED = /is not allowed\. Because/;
const DNS = new Set(['ENOTFOUND', 'EAI_AGAIN', 'EAI_FAIL', 'EAI_NODATA', 'EAI_NONAME']);

/** By code and progress, never by what an error says: its text may hold the URL, and with it a token. */
export function breakdownOf(error: unknown, { connected, secured, written, answered }: Progress): Breakdown {
  if (written || answered) return 'unanswered';
  if (isForbidden(error)) return 'forbidden';
  if (DNS.has(codeOf(error))) return 'dns';
  if (!connected) return 'refused';
  return secured ? 'unwritten' : 'tls';
}

function isForbidden(error: unknown): boolean {
  return error instanceof ForbiddenAddress || (error instanceof Error && FILTERED.test(error.message));
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}
