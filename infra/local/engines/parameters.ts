import { existsSync, readFileSync } from 'node:fs';
import * as v from 'valibot';
import { writeDurably } from '../data-folder.ts';

const Parameter = v.object({
  Name: v.string(),
  Type: v.picklist(['String', 'StringList', 'SecureString']),
  Value: v.string(),
  Version: v.number(),
  /** Seconds since the epoch. */
  LastModifiedDate: v.number(),
});
type Parameter = v.InferOutput<typeof Parameter>;

/** A refusal in AWS's words; the name is what clients tell refusals apart by. */
export class AwsError extends Error {
  constructor(name: string, message: string) {
    super(message);
    this.name = name;
  }
}

export interface Parameters {
  has(name: string): boolean;
  /** The newest version, or the one that is named as `<name>:<version>`. */
  get(selector: string): Parameter;
  /** Returns the parameter's new version. */
  put(change: { Name: string; Value: string; Type: Parameter['Type']; Overwrite: boolean }): number;
  delete(name: string): void;
}

/** The standard tier's limit, in bytes. */
const largestValue = 4096;

/** AWS keeps as many, and forgets the oldest. */
const mostVersions = 100;

/** Parameters kept in a file that only its owner can read, or in memory when there is none. */
export function openParameters(path?: string): Parameters {
  const stored = path && existsSync(path) ? v.parse(v.array(Parameter), JSON.parse(readFileSync(path, 'utf8'))) : [];
  /** Each name's versions, the oldest first. */
  const parameters = new Map<string, Parameter[]>();
  for (const parameter of stored)
    parameters.set(parameter.Name, [...(parameters.get(parameter.Name) ?? []), parameter]);
  const save = () => {
    if (path) writeDurably(path, JSON.stringify([...parameters.values()].flat(), null, 2));
  };
  const get = (selector: string) => {
    const [name = '', version] = selector.split(':');
    const versions = parameters.get(name) ?? [];
    const newest = versions.at(-1);
    if (!newest) throw new AwsError('ParameterNotFound', `there is no parameter ${name}`);
    const selected = version === undefined ? newest : versions.find(({ Version }) => String(Version) === version);
    if (!selected) throw new AwsError('ParameterVersionNotFound', `there is no version ${version} of ${name}`);
    return selected;
  };
  return {
    get,
    has: (name) => parameters.has(name),
    put: ({ Name, Value, Type, Overwrite }) => {
      const old = parameters.get(Name) ?? [];
      const newest = old.at(-1);
      if (newest && !Overwrite) throw new AwsError('ParameterAlreadyExists', `${Name} exists already`);
      if (Buffer.byteLength(Value) > largestValue) {
        throw new AwsError('ValidationException', `a value of the standard tier has at most ${largestValue} bytes`);
      }
      const Version = (newest?.Version ?? 0) + 1;
      const added = { Name, Type, Value, Version, LastModifiedDate: Date.now() / 1000 };
      parameters.set(Name, [...old, added].slice(-mostVersions));
      save();
      return Version;
    },
    delete: (name) => {
      get(name);
      parameters.delete(name);
      save();
    },
  };
}
