const used = new Map<string, Set<string>>();
const refusals = new Set<string>();

/** By role, what this process has made use of: `PutItem Table EVT#*`. */
export const usedGrants = (): Readonly<Record<string, readonly string[]>> =>
  Object.fromEntries([...used].map(([role, lines]) => [role, [...lines]]));

export function note(role: string, line: string): void {
  const lines = used.get(role) ?? new Set();
  used.set(role, lines.add(line));
}

export function refuse(what: string): never {
  refusals.add(what);
  throw new Error(what);
}

/** What was refused since the last look: for a test that means it. */
export function takeRefusals(): string[] {
  const found = [...refusals];
  refusals.clear();
  return found;
}
