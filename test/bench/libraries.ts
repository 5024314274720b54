import { readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';

/** A package or a module of Node, and what is used of it. */
type Uses = Map<string, Set<string>>;

/**
 * The source of a function that does nothing but hold what these sources use of libraries: the bundle made of it has
 * in it what the real one cannot do without, and nothing of ours.
 */
export async function nothingButLibraries(sources: readonly string[]): Promise<string> {
  const texts = sources.map((source) => readFileSync(source, 'utf8'));
  const uses: Uses = new Map();
  for (const text of texts) collect(text, uses);
  const lines = texts.flatMap(builtinsIn);
  const held: string[] = [];
  for (const [library, names] of [...uses].sort()) {
    // The build may put an import of one off, and the floor is to have all of them.
    if (isBuiltin(library)) lines.push(`process.getBuiltinModule('${library}');`);
    const loaded: object = await import(library);
    // Types look like values where they are used through a namespace.
    for (const name of [...names].filter((name) => name in loaded).sort()) {
      const alias = `held${held.length}`;
      held.push(alias);
      lines.push(`import { ${name} as ${alias} } from '${library}';`);
    }
  }
  return [...lines, `export const handler = () => [${held.join(', ')}];`, ''].join('\n');
}

const IMPORT = /^(?:import|export) (?!type )([^;]+?) from '([^'#./][^']*)';/gms;

function collect(text: string, uses: Uses): void {
  for (const [, clause = '', library = ''] of text.matchAll(IMPORT)) {
    const names = uses.get(library) ?? new Set();
    for (const name of namesIn(clause, text)) names.add(name);
    uses.set(library, names);
  }
}

/** Modules of Node that are loaded by a call. */
function builtinsIn(text: string): string[] {
  const chosen = [...text.matchAll(/getBuiltinModule\(([^)]*)\)/g)].map(([, choice]) => choice).join();
  return [...chosen.matchAll(/'node:[\w/]+'/g)].map(([name]) => `process.getBuiltinModule(${name});`);
}

function namesIn(clause: string, text: string): string[] {
  const [, namespace] = /^\* as (\w+)$/.exec(clause) ?? [];
  if (namespace !== undefined) {
    return [...text.matchAll(new RegExp(`\\b${namespace}\\.(\\w+)`, 'g'))].map(([, member = '']) => member);
  }
  const [before = '', inside = ''] = clause.split('{');
  const named = inside.replace('}', '').split(',');
  const values = named.map((name) => name.trim()).filter((name) => name !== '' && !name.startsWith('type '));
  return [...(before.trim() ? ['default'] : []), ...values.map((name) => name.split(' as ')[0] ?? name)];
}
