import { loadAwsServiceSpecSync } from '@aws-cdk/aws-service-spec';
import type { Property, PropertyType, ResourceProperties } from '@aws-cdk/service-spec-types';
import type { Template } from './template.ts';

/** CloudFormation's own description of its resources, as of the package's release. Takes half a second to load. */
export const loadSpecification = loadAwsServiceSpecSync;

/** What is at odds with the specification, one sentence each. */
export function specificationFaults(
  { Resources }: Template,
  specification: ReturnType<typeof loadSpecification>,
): string[] {
  const definitions: Definitions = (reference) => specification.get('typeDefinition', reference).properties;
  return Object.entries(Resources).flatMap(([id, { Type, Properties }]) => {
    const [resource] = specification.lookup('resource', 'cloudFormationType', 'equals', Type);
    if (!resource) return [`${id}: CloudFormation knows no ${Type}`];
    return objectFaults(id, Properties, resource.properties, definitions);
  });
}

type Reference = Extract<PropertyType, { type: 'ref' }>['reference'];
type Definitions = (reference: Reference) => ResourceProperties;

function objectFaults(path: string, value: object, properties: ResourceProperties, definitions: Definitions): string[] {
  const known = Object.keys(properties);
  const missing = known.filter((name) => properties[name]?.required && !Object.hasOwn(value, name));
  return [
    ...missing.map((name) => `${path}: ${name} is missing`),
    ...Object.entries(value).flatMap(([name, given]) => {
      const property = properties[name];
      return property
        ? propertyFaults(`${path}.${name}`, given, property, definitions)
        : [`${path}: there is no ${name}`];
    }),
  ];
}

/** A value may be spelled as any of the types that the property has ever had. */
function propertyFaults(path: string, given: unknown, property: Property, definitions: Definitions): string[] {
  const types = [property.type, ...(property.previousTypes ?? [])];
  return bestOf(types.map((type) => typeFaults(path, given, type, definitions)));
}

function bestOf(alternatives: readonly (readonly string[])[]): string[] {
  return [...(alternatives.toSorted((a, b) => a.length - b.length)[0] ?? [])];
}

function typeFaults(path: string, given: unknown, type: PropertyType, definitions: Definitions): string[] {
  if (isComputed(given)) return [];
  switch (type.type) {
    case 'ref':
      if (!isObject(given)) return [`${path} is no object`];
      return objectFaults(path, given, definitions(type.reference), definitions);
    case 'array':
      if (!Array.isArray(given)) return [`${path} is no list`];
      return given.flatMap((item, index) => typeFaults(`${path}[${index}]`, item, type.element, definitions));
    case 'map':
      if (!isObject(given)) return [`${path} is no object`];
      return Object.entries(given).flatMap(([key, item]) =>
        typeFaults(`${path}.${key}`, item, type.element, definitions),
      );
    case 'union':
      return bestOf(type.types.map((one) => typeFaults(path, given, one, definitions)));
    default:
      return scalarFaults(path, given, type);
  }
}

type Scalar = Exclude<PropertyType, { type: 'ref' | 'array' | 'map' | 'union' }>;

function scalarFaults(path: string, given: unknown, type: Scalar): string[] {
  if (type.type === 'json' || type.type === 'tag') return [];
  if (typeof given === 'object') return [`${path} is no ${type.type}`];
  if (type.type === 'boolean') return /^(true|false)$/.test(String(given)) ? [] : [`${path} is neither true nor false`];
  if (type.type === 'integer' || type.type === 'number') {
    return Number.isFinite(Number(given)) ? [] : [`${path} is no number`];
  }
  const allowed = type.type === 'string' ? type.allowedValues : undefined;
  return allowed && !allowed.includes(String(given)) ? [`${path} is none of ${allowed.join(', ')}`] : [];
}

const isObject = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** CloudFormation's functions: their values are known only when it runs. */
function isComputed(value: unknown): boolean {
  if (!isObject(value)) return false;
  const [name = '', ...others] = Object.keys(value);
  return others.length === 0 && (name === 'Ref' || name.startsWith('Fn::'));
}
