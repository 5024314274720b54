import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { parse, type ScalarTag } from 'yaml';
import { resolveVariables } from './variables.ts';

/** The short forms of CloudFormation's functions, as their long forms: `!Ref Table` is `{ Ref: 'Table' }`. */
const cloudFormationTags: ScalarTag[] = [
  { tag: '!Ref', resolve: (name) => ({ Ref: name }) },
  { tag: '!Sub', resolve: (text) => ({ 'Fn::Sub': text }) },
  { tag: '!GetAtt', resolve: (path) => ({ 'Fn::GetAtt': path.split('.') }) },
];

/** One's own machine has no limit that the sender would have to share with the webhooks. */
const params = { senderConcurrency: 50 };

const load = createRequire(import.meta.url);

/** `serverless.yml` with every file that it includes, so that what runs here is what is deployed. */
export function readServerlessFile(path: string, stage: string): unknown {
  const folder = dirname(path);
  const read = (file: string): unknown =>
    file.endsWith('.cjs') ? load(file) : parse(readFileSync(file, 'utf8'), { customTags: cloudFormationTags });
  const document = read(path);
  return resolveVariables(document, {
    stage,
    params,
    file: (included, name) => at(read(join(folder, included)), name === undefined ? [] : [name]),
    self: (keys) => at(document, keys.split('.')),
  });
}

function at(node: unknown, keys: readonly string[]): unknown {
  const [key, ...rest] = keys;
  if (key === undefined) return node;
  if (typeof node !== 'object' || node === null) return undefined;
  return at(Object.entries(node).find(([name]) => name === key)?.[1], rest);
}
