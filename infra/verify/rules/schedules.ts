import { at, folderOf, listOf, type Named, ofType, referred, type Template } from '../template.ts';

/** The functions that a clock calls. Without the watchdog, what was lost on the way stands still for ever. */
const EVERY_MINUTE = ['watchdog'];

export function scheduleFaults(template: Template): string[] {
  const rules = ofType(template, 'AWS::Events::Rule').filter(({ Properties }) => Properties.ScheduleExpression);
  const functions = ofType(template, 'AWS::Lambda::Function');
  return [
    ...functions
      .filter((one) => EVERY_MINUTE.includes(folderOf(one)))
      .flatMap((one) => clockFaults(template, one, rules)),
    ...functions.filter(({ id }) => rules.some(calls(id))).flatMap((one) => repetitionFaults(template, one)),
  ];
}

function clockFaults(template: Template, { id }: Named, rules: readonly Named[]): string[] {
  const own = rules.filter(calls(id));
  if (own.length === 0) return [`${id} is called by no schedule: bring its rule back`];
  return own.flatMap(({ id: rule, Properties }) => [
    ...((Properties.State ?? 'ENABLED') === 'ENABLED' ? [] : [`${rule} is switched off: set State to ENABLED`]),
    ...(Properties.ScheduleExpression === 'rate(1 minute)' ? [] : [`${rule} does not call ${id} every minute`]),
    ...(mayCall(template, rule, id) ? [] : [`${rule} may not call ${id}: bring its AWS::Lambda::Permission back`]),
  ]);
}

const calls =
  (id: string) =>
  ({ Properties }: Named): boolean =>
    listOf(Properties.Targets).some((target) => referred(at(target, 'Arn')) === id);

/** A run that failed or could not start is made up for by the next; by default AWS keeps it for hours, and adds it. */
function repetitionFaults(template: Template, { id }: Named): string[] {
  const own = ofType(template, 'AWS::Lambda::EventInvokeConfig').find(
    ({ Properties }) => referred(Properties.FunctionName) === id && Properties.Qualifier === '$LATEST',
  );
  if (!own) return [`${id} is called again for hours after a failure: set maximumRetryAttempts and maximumEventAge`];
  const { MaximumRetryAttempts: again, MaximumEventAgeInSeconds: age } = own.Properties;
  return [
    ...(again === 0 ? [] : [`${own.id} repeats a run that failed: set maximumRetryAttempts to 0`]),
    ...(typeof age === 'number' && age <= 60 ? [] : [`${own.id} keeps old runs: set maximumEventAge to 60 at most`]),
  ];
}

const mayCall = (template: Template, rule: string, id: string): boolean =>
  ofType(template, 'AWS::Lambda::Permission').some(
    ({ Properties }) => referred(Properties.SourceArn) === rule && referred(Properties.FunctionName) === id,
  );
