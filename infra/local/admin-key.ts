import { randomBytes } from 'node:crypto';
import type { Parameters } from './engines/ssm.ts';

/** Puts the operator's key where the functions look for it: the one that is given, else the one made on first start. */
export function adminKeyIn(parameters: Parameters, prefix: string, given?: string): string {
  const name = `${prefix}/admin-key`;
  const known = parameters.has(name) ? parameters.get(name).Value : undefined;
  const key = given ?? known ?? randomBytes(24).toString('base64url');
  if (key !== known) parameters.put({ Name: name, Value: key, Type: 'SecureString', Overwrite: true });
  return key;
}
