import { existsSync, readFileSync } from 'node:fs';
import { parse, type ScalarTag } from 'yaml';
import { at, listOf } from '#infra/verify/template.ts';

/** What one statement of a role allows: every action on every thing, with every key. */
export interface Grant {
  readonly actions: readonly string[];
  /** `Table`, or `gsi1` to `gsi3`. */
  readonly on: readonly string[];
  /** In IAM's spelling: a star stands for any characters. */
  readonly keys: readonly string[];
}

const tags: ScalarTag[] = ['!Ref', '!Sub', '!GetAtt'].map((tag) => ({ tag, resolve: (text: string) => text }));

const fileOf = (role: string) => new URL(`../../infra/roles/${role}.yml`, import.meta.url);

/** Providers that a test invents have none. */
export const hasRole = (role: string): boolean => existsSync(fileOf(role));

export function grantsOf(role: string): Grant[] {
  const [resource] = Object.values(parse(readFileSync(fileOf(role), 'utf8'), { customTags: tags }).Resources);
  const statements = listOf(at(resource, 'Properties', 'Policies', 0, 'PolicyDocument', 'Statement'));
  return statements.map((statement) => ({
    actions: listOf(at(statement, 'Action')).map((action) => String(action).replace('dynamodb:', '')),
    on: listOf(at(statement, 'Resource')).map((arn) => String(arn).replace(/^.*\/|\.Arn$/g, '')),
    keys: listOf(at(statement, 'Condition', 'ForAllValues:StringLike', 'dynamodb:LeadingKeys')).map(String),
  }));
}

/** One line for each thing that a role may do: `PutItem Table EVT#*`. */
export function linesOf(role: string): string[] {
  return grantsOf(role).flatMap(({ actions, on, keys }) =>
    actions.flatMap((action) =>
      on.flatMap((where) => (keys.length > 0 ? keys.map((key) => `${action} ${where} ${key}`) : `${action} ${where}`)),
    ),
  );
}
