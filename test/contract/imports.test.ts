import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const root = new URL('../../', import.meta.url);
const sources = ['functions', 'lib'].flatMap((folder) =>
  readdirSync(new URL(`${folder}/`, root), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => `${folder}/${file}`),
);

/** An import of a value, or a module that is loaded by one. */
const LOADS_HTTP =
  /^(?:import|export) (?!type\b)[^;]*?['"](?:node:)?http['"]|\b(?:import|require)\(['"](?:node:)?http['"]/m;

describe('a cold start', () => {
  it.each([
    [`import http from 'node:http';`, true],
    [`import http, {\n  type Agent,\n} from "http";`, true],
    [`import { type Agent } from 'node:http';`, true],
    [`export { Agent } from 'node:http';`, true],
    [`import 'node:http';`, true],
    [`  const { Agent } = await import('node:http');`, true],
    [`import type { Agent } from 'node:http';`, false],
    [`import https from 'node:https';\nimport type { Agent } from 'node:http';`, false],
    [`const http = process.getBuiltinModule('node:http');`, false],
  ])('is told from %s', (source, loads) => {
    expect(LOADS_HTTP.test(source)).toBe(loads);
  });

  // An import takes every export, and node:http makes its WebSocket when that is asked for: 30 ms.
  it('loads no node:http by an import', () => {
    expect(sources.length).toBeGreaterThan(100);
    expect(sources.filter((file) => LOADS_HTTP.test(readFileSync(new URL(file, root), 'utf8')))).toEqual([]);
  });
});
