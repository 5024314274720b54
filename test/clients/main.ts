import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openApi } from '#functions/admin/openapi.ts';
import { namesOf, routesOf } from '#functions/admin/routes.ts';
import { providers } from '#functions/providers.ts';

/*
 * Whether the API's document is one that others' tools take: two linters without a warning, and three generators whose
 * clients compile. Run by hand, with the network and Python 3: node_modules/.bin/node test/clients/main.ts
 * CONTRIBUTING.md says what came of it last.
 */

const TOOLS = ['@redocly/cli@2.77.0', '@stoplight/spectral-cli@6.16.3', 'typescript@5.9.3'];
const GENERATORS = ['openapi-typescript@7.13.0', '@hey-api/openapi-ts@0.95.0'];
const PYTHON = ['openapi-python-client==0.29.1', 'ruff', 'mypy==1.18.2'];

const folder = mkdtempSync(join(tmpdir(), 'hookline-clients-'));
const say = (text: string) => process.stdout.write(`${text}\n`);
let failed = 0;

/** Runs a tool, and shows what it says where it fails or warns. */
function run(name: string, command: string, args: readonly string[], warning: RegExp): void {
  try {
    const said = execFileSync(command, args, { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
    const isQuiet = !warning.test(said);
    if (!isQuiet) failed += 1;
    say(isQuiet ? `ok      ${name}` : `WARNS   ${name}\n${said}`);
  } catch (error) {
    failed += 1;
    const said = error instanceof Error && 'stdout' in error ? `${error.stdout}` : '';
    say(`FAILED  ${name}: ${error instanceof Error ? error.message : error}\n${said}`);
  }
}

const document = openApi(routesOf(providers), namesOf(providers), '0.1.0');
const servers = [{ url: 'https://hub.test' }];
writeFileSync(join(folder, 'openapi.json'), JSON.stringify({ ...document, servers }));
writeFileSync(join(folder, '.spectral.yaml'), 'extends: ["spectral:oas"]\n');
writeFileSync(join(folder, 'python.yaml'), 'content_type_overrides:\n  application/x-ndjson: text/plain\n');
writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }\n');
const compilerOptions = {
  ...{ strict: true, noEmit: true, module: 'esnext', moduleResolution: 'bundler', target: 'es2022', types: [] },
  lib: ['es2022', 'dom', 'dom.iterable'],
};
writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['typescript', 'hey'] }));
mkdirSync(join(folder, 'typescript'));

const npmFlags = ['--no-audit', '--no-fund', '--loglevel=error'];
execFileSync('npm', ['install', ...npmFlags, ...TOOLS, ...GENERATORS], { cwd: folder, stdio: 'inherit' });
execFileSync('python3', ['-m', 'venv', 'python'], { cwd: folder, stdio: 'inherit' });
process.env.PATH = `${join(folder, 'python', 'bin')}:${process.env.PATH}`;
execFileSync('python', ['-m', 'pip', 'install', '--quiet', ...PYTHON], { cwd: folder, stdio: 'inherit' });

const NEVER = /(?!)/;
run('redocly', 'npx', ['redocly', 'lint', 'openapi.json', '--format=stylish'], /warning/i);
run('spectral', 'npx', ['spectral', 'lint', 'openapi.json', '--fail-severity=hint'], NEVER);
run('openapi-typescript', 'npx', ['openapi-typescript', 'openapi.json', '-o', 'typescript/api.d.ts'], NEVER);
run('hey-api', 'npx', ['openapi-ts', '-i', 'openapi.json', '-o', 'hey'], NEVER);
run('both compile', 'npx', ['tsc', '-p', '.'], NEVER);
const python = ['generate', '--path', 'openapi.json', '--output-path', 'client', '--config', 'python.yaml'];
run('openapi-python-client', 'openapi-python-client', [...python, '--fail-on-warning'], /WARNING/);
const everyModule = [
  ...['import importlib, pkgutil, sys; sys.path.insert(0, "client"); import hookline_client as client'],
  'for one in pkgutil.walk_packages(client.__path__, "hookline_client."): importlib.import_module(one.name)',
].join('\n');
run('it can be imported', 'python', ['-c', everyModule], NEVER);
run('its types hold', 'mypy', ['--ignore-missing-imports', 'client'], NEVER);
say(failed === 0 ? `all is well; the clients are in ${folder}` : `${failed} of them failed; see ${folder}`);
process.exitCode = failed === 0 ? 0 : 1;
