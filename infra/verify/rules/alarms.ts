import { at, listOf, type Named, ofType, references, referred, type Template } from '../template.ts';
import { drawn, unreadRows, watchedBy } from './shown.ts';

/** Somebody is told of all that needs somebody, and can see what goes in and out. */
export function alarmFaults(template: Template): string[] {
  const alarms = ofType(template, 'AWS::CloudWatch::Alarm');
  return [
    ...alarms.flatMap((alarm) => muteFaults(template, alarm)),
    ...needsOf(template)
      .filter((need) => !alarms.some((alarm) => meets(alarm, need)))
      .map(
        ({ what, namespace, metric, most }) =>
          `nobody is told of ${what}: bring back an alarm on ${namespace} ${metric} above ${most} at most`,
      ),
    ...(alarms.some(speaksOfSilence) ? [] : [SILENCE]),
    ...drawnFaults(template),
    ...unreadRows(template),
  ];
}

function muteFaults(template: Template, { id, Properties }: Named): string[] {
  const topics = listOf(Properties.AlarmActions).map(referred);
  const isHeard = topics.some((topic) => topic && template.Resources[topic]?.Type === 'AWS::SNS::Topic');
  return [
    ...(isHeard ? [] : [`${id} tells nobody: name the topic in AlarmActions`]),
    ...(isFalse(Properties.ActionsEnabled) ? [`${id} is switched off: remove ActionsEnabled`] : []),
    ...(Properties.TreatMissingData === undefined ? [`${id} does not say what silence means`] : []),
  ];
}

const isFalse = (value: unknown): boolean => String(value) === 'false';

interface Need {
  readonly what: string;
  readonly namespace: string;
  readonly metric: string;
  /** The highest threshold that still tells in time. */
  readonly most: number;
  /** The resource of the template that it is about. */
  readonly of?: string;
}

function needsOf(template: Template): Need[] {
  const dead = ofType(template, 'AWS::SQS::Queue').flatMap(({ Properties }) => {
    const queue = referred(at(Properties.RedrivePolicy, 'deadLetterTargetArn'));
    return queue === undefined ? [] : [queue];
  });
  const one = (type: string) => ofType(template, type).map(({ id }) => id);
  return [
    ...dead.map((of) => ({ ...DEAD, what: `messages in ${of}`, of })),
    ...one('AWS::ApiGatewayV2::Api').map((of) => ({ ...FAILED, of })),
    ...one('AWS::DynamoDB::Table').flatMap((of) => [
      { ...throttled, what: 'writes that the table refuses', metric: 'WriteThrottleEvents', of },
      { ...throttled, what: 'reads that the table refuses', metric: 'ReadThrottleEvents', of },
    ]),
    ...OURS,
    { what: 'calls that Lambda refuses', namespace: 'AWS/Lambda', metric: 'Throttles', most: 10 },
  ];
}

const DEAD = { namespace: 'AWS/SQS', metric: 'ApproximateNumberOfMessagesVisible', most: 0 };
const FAILED = { what: 'answers with 5xx', namespace: 'AWS/ApiGateway', metric: '5xx', most: 10 };
const throttled = { namespace: 'AWS/DynamoDB', most: 100 };
const OURS: readonly Need[] = [
  { what: 'webhooks that nobody took', namespace: 'Hookline', metric: 'RefusedDeliveries', most: 0 },
  { what: 'events in quarantine', namespace: 'Hookline', metric: 'QuarantinedEvents', most: 0 },
  { what: 'sends that may or may not have happened', namespace: 'Hookline', metric: 'UnknownSends', most: 0 },
  { what: 'paused accounts', namespace: 'Hookline', metric: 'HeldAccounts', most: 0 },
  { what: 'accounts that stand still', namespace: 'Hookline', metric: 'OldestOverdue', most: 600 },
];

/** An alarm that calculates counts by what it calculates with. How often it was measured says nothing of how much. */
function meets(alarm: Named, { namespace, metric, most, of }: Need): boolean {
  const { ComparisonOperator: operator, Threshold: threshold } = alarm.Properties;
  const highest = operator === 'GreaterThanOrEqualToThreshold' ? most + 1 : most;
  const isAbove = String(operator).startsWith('GreaterThan') && Number(threshold) <= highest;
  const isOn = watchedBy(alarm).some(
    ({ namespace: there, name, values, statistic }) =>
      there === namespace &&
      name === metric &&
      statistic !== 'SampleCount' &&
      (of === undefined || references(values).includes(of)),
  );
  return isAbove && isOn;
}

const SILENCE =
  'nobody is told when the watchdog is silent: bring back an alarm below a threshold for which missing data is breaching';

/** Where the watchdog measures nothing, all the alarms on what it measures are calm. */
function speaksOfSilence(alarm: Named): boolean {
  const { ComparisonOperator: operator, TreatMissingData: missing } = alarm.Properties;
  return String(operator).startsWith('LessThan') && missing === 'breaching' && watchedBy(alarm).length > 0;
}

/** What the dashboard is for, by the metric that shows it. */
const GRAPHS: readonly (readonly [what: string, namespace: string, metric: string])[] = [
  ['webhooks in', 'AWS/Lambda', 'Invocations'],
  ['what became of sends', 'Hookline', 'SendOutcome'],
  ['the gap between sends', 'Hookline', 'SendGap'],
  ['the depth of the queues', 'AWS/SQS', 'ApproximateNumberOfMessagesVisible'],
  ['credits', 'Hookline', 'CreditsReserved'],
  ['latency', 'AWS/ApiGateway', 'Latency'],
];

function drawnFaults(template: Template): string[] {
  const graphs = drawn(template);
  return GRAPHS.filter(
    ([, namespace, metric]) => !graphs.some((graph) => graph.namespace === namespace && graph.name === metric),
  ).map(([what, namespace, metric]) => `no dashboard shows ${what}: bring back ${namespace} ${metric}`);
}
