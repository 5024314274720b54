import { run } from './command.ts';
import { pythonTools } from './python.ts';
import type { Result } from './report.ts';

/** The packager writes down dependencies that follow from references as well. That does no harm, and is not ours to mend. */
const NOT_OURS = ['W3005'];

export async function lint(template: string): Promise<Result> {
  const tools = await pythonTools();
  if ('missing' in tools) return { skipped: tools.missing };
  const args = ['--format', 'parseable', '--ignore-checks', ...NOT_OURS, '--', template];
  const { code, text } = await run(tools.cfnLint, args);
  const faults = text.split('\n').filter((line) => line.trim() !== '');
  return { faults: code === 0 ? [] : faults };
}
