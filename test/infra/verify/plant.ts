import { at, listOf } from '#infra/verify/template.ts';

/** A fault as somebody might make it, planted into a sound template, and what must be said of it. */
export interface PlantedFault {
  readonly name: string;
  readonly plant: (resources: unknown) => void;
  readonly found: RegExp;
}

/** Sets what stands at the end of a path, or removes it. Throws where the path leads nowhere: then nothing is planted. */
export function change(node: unknown, path: readonly (string | number)[], value?: unknown): void {
  const holder = at(node, ...path.slice(0, -1));
  if (typeof holder !== 'object' || holder === null) throw new Error(`nothing at ${path.join('.')}`);
  const name = String(path.at(-1));
  if (value === undefined) Reflect.deleteProperty(holder, name);
  else Reflect.set(holder, name, value);
}

/** The first statement of a role that grants an action, however the role is cut into statements. */
export function granting(resources: unknown, role: string, action: string): readonly (string | number)[] {
  const path = [role, 'Properties', 'Policies', 0, 'PolicyDocument', 'Statement'];
  const index = listOf(at(resources, ...path)).findIndex((one) => listOf(at(one, 'Action')).includes(action));
  if (index < 0) throw new Error(`${role} does not grant ${action}`);
  return [...path, index];
}
