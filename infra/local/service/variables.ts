/** Where the `${…}` of the serverless framework get their values from. */
export interface VariableSources {
  /** The parsed content of a file named by `${file(…)}`, relative to `serverless.yml`, or what it has under a name. */
  readonly file: (path: string, name?: string) => unknown;
  /** The value at a path of `serverless.yml`, for `${self:…}`. */
  readonly self: (path: string) => unknown;
  readonly stage: string;
  /** What `--param` sets for a deployment. */
  readonly params: Readonly<Record<string, unknown>>;
}

const variable = /\$\{([^${}]+)\}/g;

/** Replaces the framework's variables throughout a document; CloudFormation's own, such as `${AWS::Region}`, stay. */
export function resolveVariables(node: unknown, sources: VariableSources): unknown {
  if (typeof node === 'string') return resolveText(node, sources);
  if (Array.isArray(node)) return node.map((item) => resolveVariables(item, sources));
  if (typeof node !== 'object' || node === null) return node;
  return Object.fromEntries(Object.entries(node).map(([key, value]) => [key, resolveVariables(value, sources)]));
}

function resolveText(text: string, sources: VariableSources): unknown {
  const whole = /^\$\{([^${}]+)\}$/.exec(text)?.[1];
  if (whole !== undefined && isOurs(whole)) return resolveVariables(firstValue(whole, sources), sources);
  return text.replaceAll(variable, (original, expression: string) =>
    isOurs(expression) ? String(resolveVariables(firstValue(expression, sources), sources)) : original,
  );
}

/** The framework's variables name a source; CloudFormation's name a resource or a pseudo parameter. */
function isOurs(expression: string): boolean {
  return /^(file\(|self:|sls:|opt:|env:|param:)/.test(expression);
}

/** The first of the alternatives that has a value: `${opt:region, 'eu-central-1'}`. */
function firstValue(expression: string, sources: VariableSources): unknown {
  for (const alternative of expression.split(',')) {
    const value = valueOfOne(alternative.trim(), sources);
    if (value !== undefined) return value;
  }
  throw new Error(`serverless.yml: nothing gives \${${expression}} a value`);
}

function valueOfOne(alternative: string, sources: VariableSources): unknown {
  const [, literal] = /^'(.*)'$/.exec(alternative) ?? [];
  if (literal !== undefined) return literal;
  if (alternative === 'null') return null;
  if (/^\d+$/.test(alternative)) return Number(alternative);
  const [, path, address] = /^file\((.+)\)(?::(\w+))?$/.exec(alternative) ?? [];
  if (path !== undefined) return sources.file(path, address);
  if (alternative === 'sls:stage' || alternative === 'opt:stage') return sources.stage;
  if (alternative.startsWith('self:')) return sources.self(alternative.slice('self:'.length));
  if (alternative.startsWith('param:')) return sources.params[alternative.slice('param:'.length)];
  return undefined; // the environment and options of a deployment mean nothing on one machine
}
