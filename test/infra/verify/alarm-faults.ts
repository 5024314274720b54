import { at } from '#infra/verify/template.ts';
import { change, type PlantedFault } from './plant.ts';

/** Removes every alarm that stands on a metric, of a queue where one is named. */
function silence(resources: unknown, metric: string, queue = ''): void {
  const alarms = Object.entries(Object(resources)).filter(([, one]) => {
    const text = JSON.stringify(at(one, 'Properties')) ?? '';
    return at(one, 'Type') === 'AWS::CloudWatch::Alarm' && text.includes(`"${metric}"`) && text.includes(queue);
  });
  if (alarms.length === 0) throw new Error(`no alarm on ${metric}`);
  for (const [id] of alarms) change(resources, [id]);
}

const without = (metric: string, found: RegExp, queue?: string): PlantedFault => ({
  name: `no alarm on ${metric}${queue ? ` of ${queue}` : ''}`,
  plant: (resources) => silence(resources, metric, queue),
  found,
});

const DEPTH = 'ApproximateNumberOfMessagesVisible';

export const alarmFaults: readonly PlantedFault[] = [
  without(DEPTH, /nobody is told of messages in TicksDeadQueue: bring back an alarm on AWS\/SQS/, 'TicksDeadQueue'),
  without(DEPTH, /nobody is told of messages in FallbackDeadQueue/, 'FallbackDeadQueue'),
  without('QuarantinedEvents', /nobody is told of events in quarantine/),
  without('RefusedDeliveries', /nobody is told of webhooks that nobody took/),
  without('UnknownSends', /nobody is told of sends that may or may not have happened/),
  without('HeldAccounts', /nobody is told of paused accounts/),
  without('OldestOverdue', /nobody is told of accounts that stand still/),
  without('5xx', /nobody is told of answers with 5xx/),
  without('Throttles', /nobody is told of calls that Lambda refuses/),
  without('WriteThrottleEvents', /nobody is told of writes that the table refuses/),
  without('ReadThrottleEvents', /nobody is told of reads that the table refuses/),
  {
    name: 'paused accounts of which only the silence is told',
    plant: (resources) => change(resources, ['HeldAccountsAlarm']),
    found: /nobody is told of paused accounts: bring back an alarm on Hookline HeldAccounts above 0 at most/,
  },
  {
    name: 'a watchdog whose silence nobody hears',
    plant: (resources) => change(resources, ['WatchdogSilentAlarm', 'Properties', 'TreatMissingData'], 'notBreaching'),
    found: /nobody is told when the watchdog is silent/,
  },
  {
    name: 'an alarm that is switched off',
    plant: (resources) => change(resources, ['TicksDeadAlarm', 'Properties', 'ActionsEnabled'], false),
    found: /TicksDeadAlarm is switched off/,
  },
  {
    name: 'an alarm that tells another topic than ours',
    plant: (resources) => change(resources, ['TicksDeadAlarm', 'Properties', 'AlarmActions'], ['arn:aws:sns:::other']),
    found: /TicksDeadAlarm tells nobody/,
  },
  {
    name: 'an alarm that waits for too much',
    plant: (resources) => change(resources, ['TicksDeadAlarm', 'Properties', 'Threshold'], 1_000_000),
    found: /nobody is told of messages in TicksDeadQueue/,
  },
  {
    name: "an alarm on another hub's queue",
    plant: (resources) => change(resources, ['TicksDeadAlarm', 'Properties', 'Dimensions', 0, 'Value'], 'other'),
    found: /nobody is told of messages in TicksDeadQueue/,
  },
  {
    name: 'no dashboard',
    plant: (resources) => change(resources, ['Dashboard']),
    found: /there is no AWS::CloudWatch::Dashboard: bring it back/,
  },
  {
    name: 'a dashboard with a graph that CloudWatch does not read',
    plant: (resources) => {
      const metrics = [{ expression: "SEARCH('x', 'Sum', 300)", label: 'x' }];
      const body = JSON.stringify({ widgets: [{ type: 'metric', properties: { metrics } }] });
      change(resources, ['Dashboard', 'Properties', 'DashboardBody'], { 'Fn::Sub': body });
    },
    found: /Dashboard: a graph has the row \{"expression".*: make it a list of words, and of options last/,
  },
  {
    name: 'a dashboard that shows nothing',
    plant: (resources) => change(resources, ['Dashboard', 'Properties', 'DashboardBody'], { 'Fn::Sub': '{}' }),
    found: /no dashboard shows what became of sends: bring back Hookline SendOutcome/,
  },
];
