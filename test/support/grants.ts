import { functionNames, type Grants, grantsOf, patternsOf } from '#infra/grants.ts';

/** Providers that a test invents have none. */
export const hasRole = (role: string): boolean => functionNames().includes(role);

/** Where an action on the table may be done (`Table`, or `gsi1` to `gsi3`), and to which keys, in IAM's spelling. */
export interface Grant {
  readonly action: string;
  readonly on: string;
  /** A star stands for any characters. */
  readonly keys: readonly string[];
}

export function tableGrantsOf(role: string): Grant[] {
  const { table = {}, lists = {} } = grantsOf(role);
  return [
    ...Object.entries(table).map(([action, words]) => ({ action, on: 'Table', keys: patternsOf(words) })),
    ...Object.entries(lists).map(([on, words]) => ({ action: 'Query', on, keys: patternsOf(words) })),
  ];
}

/** One line for each thing that a role may do with the table: `PutItem Table EVT#*`. */
export const tableLinesOf = (role: string): string[] =>
  tableGrantsOf(role).flatMap(({ action, on, keys }) => keys.map((key) => `${action} ${on} ${key}`));

/** The functions that share their rights, by these: of two providers alike, it is enough that one needs a thing. */
export function functionsByGrants(): Map<Grants, string[]> {
  return Map.groupBy(functionNames(), grantsOf);
}
