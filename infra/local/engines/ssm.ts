import * as v from 'valibot';
import { readKept, writeDurably } from '../data-folder.ts';
import { type Answered, localAws, type OwnEngine, serve } from './local-aws.ts';

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
class AwsError extends Error {
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
  const stored = (path && readKept(path, v.array(Parameter))) || [];
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

const Name = v.object({ Name: v.string() });
const Get = v.object({ Name: v.string(), WithDecryption: v.optional(v.boolean(), false) });
const Put = v.object({
  Name: v.string(),
  Value: v.string(),
  Type: v.optional(v.picklist(['String', 'StringList', 'SecureString']), 'String'),
  Overwrite: v.optional(v.boolean(), false),
});

/** The few calls of the Systems Manager that keep secrets: where AWS has its Parameter Store, here is a file. */
export function startSsm(parameters: Parameters): Promise<OwnEngine> {
  return serve(async ({ headers }, body) => {
    try {
      const action = String(headers['x-amz-target']).replace('AmazonSSM.', '');
      return { status: 200, output: answer(action, JSON.parse(body || '{}'), parameters) };
    } catch (error) {
      return refusal(error);
    }
  });
}

function refusal(error: unknown): Answered {
  const [status, name] = error instanceof AwsError ? [400, error.name] : [500, 'InternalServerError'];
  return { status, output: { __type: name, message: error instanceof Error ? error.message : String(error) } };
}

function answer(action: string, input: unknown, parameters: Parameters): unknown {
  switch (action) {
    case 'GetParameter': {
      const { Name, WithDecryption } = parse(Get, input);
      return { Parameter: shown(parameters.get(Name), WithDecryption) };
    }
    case 'PutParameter':
      return { Version: parameters.put(parse(Put, input)), Tier: 'Standard' };
    case 'DeleteParameter':
      parameters.delete(parse(Name, input).Name);
      return {};
    default:
      throw new AwsError('UnknownOperationException', `${action} is not offered here`);
  }
}

function parse<Schema extends v.GenericSchema>(schema: Schema, input: unknown): v.InferOutput<Schema> {
  const parsed = v.safeParse(schema, input);
  if (!parsed.success) throw new AwsError('ValidationException', v.summarize(parsed.issues));
  return parsed.output;
}

/** A SecureString comes back unreadable unless it is asked for in clear, as on AWS. */
function shown(parameter: ReturnType<Parameters['get']>, decrypt: boolean): unknown {
  const hidden = parameter.Type === 'SecureString' && !decrypt;
  return {
    ...parameter,
    Value: hidden ? 'encrypted' : parameter.Value,
    ARN: `arn:aws:ssm:${localAws.region}:${localAws.accountId}:parameter${parameter.Name}`,
    DataType: 'text',
  };
}
