/** Bundles the functions into `dist/`; with `--check` it also fails when a bundle is too big or has foreign parts. */
import { budgetOf, bundleFaults } from './budgets.ts';
import { buildFunctions, functionNames, readRecord } from './bundle.ts';

const folders = { functions: 'functions', dist: 'dist' };

const built = await buildFunctions(folders);
for (const name of functionNames(folders)) {
  const kib = Math.ceil((readRecord(folders.dist, name)?.bytes ?? 0) / 1024);
  console.log(`${name}: ${kib} of ${budgetOf(name)} KiB${built.includes(name) ? '' : ', up to date'}`);
}

if (process.argv.includes('--check')) {
  const faults = bundleFaults(folders);
  for (const fault of faults) console.error(fault);
  if (faults.length > 0) process.exitCode = 1;
}
