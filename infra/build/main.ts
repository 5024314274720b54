/** Bundles the functions into `dist/`; with `--check` it also fails when a bundle is too big or has foreign parts. */
import { budgetOf, bundleFaults, PAGE_LIMITS } from './budgets.ts';
import { buildFunctions, functionNames, readRecord } from './bundle.ts';

const folders = { functions: 'functions', dist: 'dist' };

const built = await buildFunctions(folders);
for (const name of functionNames(folders)) {
  const { bytes = 0, pages } = readRecord(folders.dist, name) ?? {};
  const kib = Math.ceil(bytes / 1024);
  console.log(`${name}: ${kib} of ${budgetOf(name)} KiB${built.includes(name) ? '' : ', up to date'}`);
  if (!pages) continue;
  const { script, wire } = PAGE_LIMITS;
  console.log(
    `  pages: script ${Math.ceil(pages.script / 1024)} of ${script} KiB, first page ${Math.ceil(pages.wire / 1024)} of ${wire}`,
  );
}

if (process.argv.includes('--check')) {
  const faults = bundleFaults(folders);
  for (const fault of faults) console.error(fault);
  if (faults.length > 0) process.exitCode = 1;
}
