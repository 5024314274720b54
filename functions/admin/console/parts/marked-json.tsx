import { Code } from './small.tsx';

interface Line {
  /** Where in the body it stands, as `data.0.id`; of a closing bracket nowhere. */
  readonly path: string | undefined;
  readonly text: string;
}

interface MarkedJsonProps {
  readonly value: unknown;
  /** What is wrong with it; what is missing marks the line of what it is missing in. */
  readonly paths: readonly string[];
}

/** A body with the lines marked at which it could not be read. */
export function MarkedJson({ value, paths }: MarkedJsonProps) {
  const lines = linesOf(value, '', '', '', '');
  const known = new Set(lines.flatMap(({ path }) => path ?? []));
  const marked = new Set(paths.map((path) => nearest(path, known)));
  return (
    <Code>
      {lines.map(({ path, text }, index) => {
        const isMarked = path !== undefined && marked.has(path);
        return isMarked ? <mark key={index}>{`${text}\n`}</mark> : `${text}\n`;
      })}
    </Code>
  );
}

/** The place itself or, where it is not there, the innermost one around it. */
function nearest(path: string, known: ReadonlySet<string>): string {
  if (known.has(path) || path === '') return path;
  return nearest(path.split('.').slice(0, -1).join('.'), known);
}

function linesOf(value: unknown, path: string, indent: string, name: string, comma: string): Line[] {
  if (typeof value !== 'object' || value === null) {
    return [{ path, text: `${indent}${name}${JSON.stringify(value)}${comma}` }];
  }
  const isList = Array.isArray(value);
  const entries = Object.entries(value);
  const [open, close] = isList ? '[]' : '{}';
  if (entries.length === 0) return [{ path, text: `${indent}${name}${open}${close}${comma}` }];
  const inner = entries.flatMap(([key, child], index) =>
    linesOf(
      child,
      path === '' ? key : `${path}.${key}`,
      `${indent}  `,
      isList ? '' : `${JSON.stringify(key)}: `,
      index < entries.length - 1 ? ',' : '',
    ),
  );
  return [{ path, text: `${indent}${name}${open}` }, ...inner, { path: undefined, text: `${indent}${close}${comma}` }];
}
