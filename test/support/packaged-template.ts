import { readFileSync } from 'node:fs';
import * as v from 'valibot';
import { packagedTemplate } from '#infra/verify/packaging.ts';

const Resource = v.looseObject({
  Type: v.string(),
  Properties: v.optional(v.record(v.string(), v.unknown()), {}),
  DependsOn: v.optional(v.union([v.string(), v.array(v.string())]), []),
});
export type Resource = v.InferOutput<typeof Resource>;

const Template = v.looseObject({
  Resources: v.record(v.string(), Resource),
  Outputs: v.optional(v.record(v.string(), v.unknown()), {}),
});
/** The CloudFormation template as it was packaged. */
export type Template = v.InferOutput<typeof Template>;

export const templateIn = (folder: string): Template =>
  v.parse(Template, JSON.parse(readFileSync(packagedTemplate(folder), 'utf8')));

/** A resource with its name in the template. */
export interface Named extends Resource {
  readonly id: string;
}

export function ofType(template: Template, type: string): Named[] {
  return Object.entries(template.Resources).flatMap(([id, resource]) =>
    resource.Type === type ? [{ ...resource, id }] : [],
  );
}

/** The value at a path of keys and places; undefined where there is nothing. */
export function at(node: unknown, ...path: readonly (string | number)[]): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return node;
  if (typeof node !== 'object' || node === null || !Object.hasOwn(node, key)) return undefined;
  return at(Object.entries(node).find(([name]) => name === String(key))?.[1], ...rest);
}

/** The resource that a value refers to by `Ref` or `Fn::GetAtt`. */
export function referred(value: unknown): string | undefined {
  const id = at(value, 'Ref') ?? at(value, 'Fn::GetAtt', 0);
  return typeof id === 'string' ? id : undefined;
}

/** One value and a list of one mean the same to CloudFormation. */
export function listOf(value: unknown): readonly unknown[] {
  if (value === undefined) return [];
  return Array.isArray(value) ? value : [value];
}

/** Every resource that is named anywhere within a value. */
export function references(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  const own = referred(value);
  const text = at(value, 'Fn::Sub');
  const inText = typeof text === 'string' ? namesIn(text) : [];
  return [...(own === undefined ? [] : [own]), ...inText, ...Object.values(value).flatMap(references)];
}

/** The names within a text for `Fn::Sub`, without their attributes. */
function namesIn(text: string): string[] {
  return [...text.matchAll(/\$\{([^.}!]+)[^}]*\}/g)].map(([, name = '']) => name);
}
