import { relative } from 'node:path';
import { type BuildFolders, type BuildRecord, functionNames, readRecord } from './bundle.ts';

/** The most that a bundle may weigh, in KiB. Each cold start fetches all of it. */
const LIMIT = 450;
const LARGER: Readonly<Record<string, number>> = { admin: 1020, deliver: 520, events: 590 };
/** Of pages, in KiB: what the first page runs, and that page with all that it loads as it travels. */
export const PAGE_LIMITS = { script: 90, wire: 45 };
export const budgetOf = (name: string): number => LARGER[name] ?? LIMIT;

/** What is wrong with the bundles as last built, one sentence each. */
export function bundleFaults(folders: BuildFolders, limitOf = budgetOf): string[] {
  return functionNames(folders).flatMap((name) => {
    const record = readRecord(folders.dist, name);
    if (!record) return [`${name} has not been built`];
    return [
      ...sizeFaults(name, record, limitOf(name)),
      ...pageFaults(name, record),
      ...foreignFaults(name, record, folders),
    ];
  });
}

function sizeFaults(name: string, { bytes }: BuildRecord, limit: number): string[] {
  return bytes > limit * 1024 ? [`${name} weighs ${Math.ceil(bytes / 1024)} KiB, more than its ${limit}`] : [];
}

function pageFaults(name: string, { pages }: BuildRecord): string[] {
  if (!pages) return [];
  const tell = (what: string, bytes: number, limit: number) =>
    bytes > limit * 1024 ? [`${what} of ${name} weighs ${Math.ceil(bytes / 1024)} KiB, more than its ${limit}`] : [];
  return [
    ...tell('the script', pages.script, PAGE_LIMITS.script),
    ...tell('the first page', pages.wire, PAGE_LIMITS.wire),
  ];
}

/** The lists of providers. */
const LISTS = ['registry.ts', 'outbound.ts'];

/** Only a function that works for every provider carries the folders of others. */
function foreignFaults(name: string, { inputs }: BuildRecord, { functions }: BuildFolders): string[] {
  const paths = Object.keys(inputs).map((path) => relative(functions, path));
  if (paths.some((path) => LISTS.includes(path))) return [];
  return paths
    .filter((path) => !path.startsWith('..') && !path.startsWith(`${name}/`))
    .map((path) => `${name} contains ${path}`);
}
