import * as v from 'valibot';
import type { Random, Secrets } from '#lib/domain/ports.ts';
import { checked, type Issue } from '#lib/domain/schema.ts';

const SECRET_BYTES = 24;

const Stored = v.object({
  /** The newest comes first; an older one signs too until then, in milliseconds. */
  secrets: v.array(v.object({ secret: v.string(), until: v.exactOptional(v.number()) })),
  headers: v.exactOptional(v.record(v.string(), v.string())),
  /** Of a rule, the headers of each of its calls, by its place in the rule. */
  calls: v.exactOptional(v.record(v.string(), v.record(v.string(), v.string()))),
});
/** What stands in the parameter store for an endpoint, or for a rule that calls. */
export type SigningSecret = v.InferOutput<typeof Stored>;
const Written = v.pipe(v.string(), v.parseJson(), Stored);

/** A parameter takes 4,096 bytes: this leaves room for what signs. */
const MOST_HEADER_BYTES = 3500;

/** What is kept as a secret with an endpoint or a rule, where it is too much together: as an issue at `path`. */
export function faultsOfSize(headers: object, path: string): readonly Issue[] {
  if (Buffer.byteLength(JSON.stringify(headers)) <= MOST_HEADER_BYTES) return [];
  return [{ path, message: `must have at most ${MOST_HEADER_BYTES} bytes of headers together: shorten them` }];
}

export const endpointSecret = (id: string): string => `endpoints/${id}`;
export const ruleSecret = (id: string): string => `rules/${id}`;

/** As Standard Webhooks writes one. */
export function newSecret(random: Random): string {
  return `whsec_${Buffer.from(random.bytes(SECRET_BYTES)).toString('base64')}`;
}

/** Throws where it is not there, or is not what it should be: never with what it holds. */
export async function readSecret(secrets: Secrets, name: string, version: number | undefined): Promise<SigningSecret> {
  const kept = await secrets.get(name, version);
  if (kept === undefined) throw new Error(`the secret ${name} is not in the parameter store`);
  return checked(Written, kept, () => `the secret ${name} is damaged`);
}
