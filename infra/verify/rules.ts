import { alarmFaults } from './rules/alarms.ts';
import { callerFaults } from './rules/callers.ts';
import { dataFaults } from './rules/data.ts';
import { environmentFaults } from './rules/environment.ts';
import { functionFaults } from './rules/functions.ts';
import { kindFaults } from './rules/kinds.ts';
import { logFaults } from './rules/logs.ts';
import { metricFaults } from './rules/metrics.ts';
import { queueFaults } from './rules/queues.ts';
import { roleFaults } from './rules/roles.ts';
import { scheduleFaults } from './rules/schedules.ts';
import type { Template } from './template.ts';

const rules: readonly ((template: Template) => string[])[] = [
  kindFaults,
  roleFaults,
  callerFaults,
  queueFaults,
  scheduleFaults,
  logFaults,
  environmentFaults,
  dataFaults,
  functionFaults,
  metricFaults,
  alarmFaults,
];

/** What no specification asks for and we promise: what is wrong with a packaged template, one sentence each. */
export function ruleFaults(template: Template): string[] {
  return rules.flatMap((rule) => rule(template));
}
