/**
 * The first part of every npm script, on whatever Node the machine has (20 or later): installs what is missing, so that
 * a fresh clone needs no step of its own. Plain JavaScript without imports from packages for that reason.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const windows = process.platform === 'win32';
const node = join(root, 'node_modules', '.bin', windows ? 'node.cmd' : 'node');

if (!isInstalled()) {
  console.error('hookline: installing what is missing, this once');
  run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], root);
}
if (!existsSync(node)) installNode();

/** Whether every package of the lock file is there in its locked version. */
function isInstalled() {
  const installed = packagesOf(join(root, 'node_modules', '.package-lock.json'));
  const locked = packagesOf(join(root, 'package-lock.json'));
  return Object.entries(locked).every(
    ([path, entry]) => path === '' || entry.optional || installed[path]?.version === entry.version,
  );
}

function packagesOf(file) {
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).packages : {};
}

/** The package `node` fetches its binary in an install script: an npm that runs none needs to be told for this one. */
function installNode() {
  console.error('npm ran no install scripts; fetching Node 24 for this project.');
  run('npm', ['rebuild', 'node', '--ignore-scripts=false', '--loglevel=error'], root);
  if (existsSync(node)) return;
  console.error('Node 24 could not be installed. Run: npm rebuild node --ignore-scripts=false');
  process.exit(1);
}

function run(command, args, cwd) {
  // Standard output stays free for what the script itself prints.
  const { status, error } = spawnSync(command, args, { cwd, stdio: ['ignore', 2, 2], shell: windows });
  if (error) console.error(`${command} could not be started: ${error.message}`);
  if (status !== 0) process.exit(status ?? 1);
}
