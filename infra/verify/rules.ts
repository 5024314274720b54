import { dataFaults } from './rules/data.ts';
import { environmentFaults } from './rules/environment.ts';
import { functionFaults } from './rules/functions.ts';
import { logFaults } from './rules/logs.ts';
import { metricFaults } from './rules/metrics.ts';
import { queueFaults } from './rules/queues.ts';
import { roleFaults } from './rules/roles.ts';
import type { Template } from './template.ts';

/** What no specification asks for and we promise: what is wrong with a packaged template, one sentence each. */
export function ruleFaults(template: Template): string[] {
  const rules = [roleFaults, queueFaults, logFaults, environmentFaults, dataFaults, functionFaults, metricFaults];
  return rules.flatMap((rule) => rule(template));
}
