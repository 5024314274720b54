import { derivedId } from '#lib/domain/ids.ts';

/**
 * The line that an account sends on, as its provider tells lines apart: an instance, a number, a device. Two accounts
 * on one line would send side by side, without a gap between them.
 */
export interface LineProvider {
  readonly name: string;
  /** What the credentials say of it, whatever else in them changes; left out where a provider has no lines. */
  readonly lineOf?: (credentials: unknown) => readonly string[] | undefined;
}

/** Its name here. A token may be a part of what it is made from, and cannot be read out of it. */
export function lineIn({ name, lineOf }: LineProvider, credentials: unknown): string | undefined {
  const parts = lineOf?.(credentials);
  return parts && derivedId('line', [name, ...parts]);
}

interface OnLine {
  readonly line?: string;
  readonly instance?: string;
}

/** Whether credentials with this line are not those that the account's item speaks of. */
export function isOtherLine({ name }: LineProvider, { line, instance }: OnLine, found: string | undefined): boolean {
  // An earlier release kept the instance alone.
  const own = [line, instance === undefined ? undefined : derivedId('line', [name, instance])];
  return own.some((expected) => expected !== undefined && expected !== found);
}
