import type { Fetched } from '#lib/app/sending/ports.ts';

export type Failure = Exclude<Fetched, { kind: 'ok' }>;

/** For good: the same link will fail again. */
export function refused(reason: string): Failure {
  return { kind: 'refused', reason };
}

/** For now: the link may be good, its host or the way there is not. */
export function unavailable(reason: string): Failure {
  return { kind: 'unavailable', reason };
}

export const NOT_PUBLIC: Failure = refused('file_url leads to an address that is not on the public internet');

/** Carries our own decision to give up through Node's streams and sockets, which know errors only. */
export class Abandoned extends Error {
  readonly failure: Failure;

  constructor(failure: Failure) {
    super(failure.reason);
    this.name = 'Abandoned';
    this.failure = failure;
  }
}

const REASONS: Readonly<Record<string, Failure>> = {
  ENOTFOUND: unavailable("the file's host was not found"),
  EAI_AGAIN: unavailable("the file's host could not be looked up"),
  ECONNREFUSED: unavailable("the file's host refused the connection"),
  ECONNRESET: unavailable("the file's host broke off"),
};

// A host does not get a new certificate between two of our attempts.
const UNTRUSTED = /^(?:CERT_|ERR_TLS_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_)/;

/** By the error's code: messages hold addresses, and a URL may hold a token. */
export function failureOf(error: unknown): Failure {
  if (error instanceof Abandoned) return error.failure;
  const code = codeOf(error);
  if (Object.hasOwn(REASONS, code)) return REASONS[code] ?? unavailable(code);
  if (UNTRUSTED.test(code)) return refused(`the certificate of the file's host is not trusted (${code})`);
  if (code.startsWith('HPE_')) return refused("the file's host does not keep to HTTP, or sends more than it announces");
  return unavailable(`the file could not be fetched (${code})`);
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'no reason given';
}
