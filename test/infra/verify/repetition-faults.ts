import { at, referred } from '#infra/verify/template.ts';
import { change, type PlantedFault } from './plant.ts';

/** Where the template says how often a run of the watchdog is repeated. */
function settingOf(resources: unknown): string {
  const setting = Object.entries(Object(resources)).find(
    ([, one]) =>
      at(one, 'Type') === 'AWS::Lambda::EventInvokeConfig' &&
      referred(at(one, 'Properties', 'FunctionName')) === 'WatchdogLambdaFunction',
  );
  if (!setting) throw new Error('nothing says how often a run of the watchdog is repeated');
  return setting[0];
}

const set = (name: string, property: string, value: unknown, found: RegExp): PlantedFault => ({
  name,
  plant: (resources) => change(resources, [settingOf(resources), 'Properties', property], value),
  found,
});

const NONE = /WatchdogLambdaFunction is called again for hours after a failure: set maximumRetryAttempts/;

export const repetitionFaults: readonly PlantedFault[] = [
  {
    name: 'a watchdog whose runs pile up',
    plant: (resources) => change(resources, [settingOf(resources)]),
    found: NONE,
  },
  set('a run that is repeated', 'MaximumRetryAttempts', 2, /repeats a run that failed: set maximumRetryAttempts to 0/),
  set('a run that AWS repeats by default', 'MaximumRetryAttempts', undefined, /repeats a run that failed/),
  set('a run that is kept for hours', 'MaximumEventAgeInSeconds', 21_600, /keeps old runs: set maximumEventAge to 60/),
  set('a run that AWS keeps by default', 'MaximumEventAgeInSeconds', undefined, /keeps old runs/),
  set('a setting for a version that nobody calls', 'Qualifier', '7', NONE),
];
