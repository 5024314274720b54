import { at, listOf, type Named, namesIn, referred, statementsOf, type Template } from '../template.ts';

/** One action on one thing, as a statement of a role allows it. */
export interface Grant {
  /** The role, and the name or place of the statement. */
  readonly by: string;
  readonly action: string;
  /** The id of a resource of this template, or the text of an ARN. */
  readonly on: string;
  /** The keys of the table to which a condition binds it. */
  readonly keys: readonly string[];
  /** Whether a request that names no key is refused. */
  readonly guarded: boolean;
}

export interface Read {
  readonly grants: readonly Grant[];
  readonly faults: readonly string[];
}

/** All that a role allows, and what is written so that nobody can say what it allows. */
export function grantsOf(template: Template, { id, Properties }: Named): Read {
  const policies = listOf(Properties.Policies).map((policy) => statementsOf(at(policy, 'PolicyDocument')));
  const unread = policies.filter((statements) => statements === undefined).map(() => unwritten(id));
  const read = policies
    .flatMap((statements) => statements ?? [])
    .map((one, index) => readOne(template, id, one, index));
  return {
    grants: read.flatMap(({ grants }) => grants),
    faults: [...unread, ...read.flatMap(({ faults }) => faults)],
  };
}

const unwritten = (id: string): string => `${id} has a policy that cannot be read here: write its statements out`;

/** `NotAction`, `NotResource` and the like grant all that they do not name. */
const PARTS = ['Sid', 'Effect', 'Action', 'Resource', 'Condition'];

function readOne(template: Template, id: string, statement: object, index: number): Read {
  const by = `${id}, ${String(at(statement, 'Sid') ?? `statement ${index}`)}`;
  const other = Object.keys(statement).filter((part) => !PARTS.includes(part));
  const resources = listOf(at(statement, 'Resource'));
  const named = resources.map((resource) => nameOf(template, resource));
  const faults = [
    ...other.map((part) => `${by}: has ${part}: say with Action and Resource what it grants`),
    ...(at(statement, 'Effect') === 'Allow' ? [] : [`${by}: has no Effect: Allow`]),
    ...(resources.length === 0 ? [`${by}: names no resource`] : []),
    ...resources
      .filter((_, place) => named[place] === undefined)
      .map(
        (resource) => `${by}: ${JSON.stringify(resource)} cannot be read here: write Fn::GetAtt, or Fn::Sub of an ARN`,
      ),
  ];
  const keys = listOf(at(statement, 'Condition', 'ForAllValues:StringLike', 'dynamodb:LeadingKeys')).map(String);
  const guarded = String(at(statement, 'Condition', 'Null', 'dynamodb:LeadingKeys')) === 'false';
  const grants = listOf(at(statement, 'Action')).flatMap((action) =>
    named.flatMap((on) => (on === undefined ? [] : [{ by, action: wordOf(action), on, keys, guarded }])),
  );
  return { grants, faults };
}

const wordOf = (action: unknown): string => (typeof action === 'string' ? action : JSON.stringify(action));

/** A parameter could stand for anything, a star too, and so could what is put together from parts. */
function nameOf(template: Template, resource: unknown): string | undefined {
  if (typeof resource === 'string') return resource;
  const isOurs = (name: string) => template.Resources[name] !== undefined;
  const id = referred(resource);
  if (id !== undefined) return isOurs(id) ? id : undefined;
  const text = at(resource, 'Fn::Sub');
  if (typeof text !== 'string') return undefined;
  return namesIn(text).every((name) => name.startsWith('AWS::') || isOurs(name)) ? text : undefined;
}
