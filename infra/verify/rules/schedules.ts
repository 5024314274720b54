import { at, folderOf, listOf, type Named, ofType, referred, type Template } from '../template.ts';

/** The functions that a clock calls. Without the watchdog, what was lost on the way stands still for ever. */
const EVERY_MINUTE = ['watchdog'];

export function scheduleFaults(template: Template): string[] {
  const rules = ofType(template, 'AWS::Events::Rule').filter(({ Properties }) => Properties.ScheduleExpression);
  return ofType(template, 'AWS::Lambda::Function')
    .filter((one) => EVERY_MINUTE.includes(folderOf(one)))
    .flatMap((one) => clockFaults(template, one, rules));
}

function clockFaults(template: Template, { id }: Named, rules: readonly Named[]): string[] {
  const own = rules.filter(({ Properties }) =>
    listOf(Properties.Targets).some((target) => referred(at(target, 'Arn')) === id),
  );
  if (own.length === 0) return [`${id} is called by no schedule: bring its rule back`];
  return own.flatMap(({ id: rule, Properties }) => [
    ...((Properties.State ?? 'ENABLED') === 'ENABLED' ? [] : [`${rule} is switched off: set State to ENABLED`]),
    ...(Properties.ScheduleExpression === 'rate(1 minute)' ? [] : [`${rule} does not call ${id} every minute`]),
    ...(mayCall(template, rule, id) ? [] : [`${rule} may not call ${id}: bring its AWS::Lambda::Permission back`]),
  ]);
}

const mayCall = (template: Template, rule: string, id: string): boolean =>
  ofType(template, 'AWS::Lambda::Permission').some(
    ({ Properties }) => referred(Properties.SourceArn) === rule && referred(Properties.FunctionName) === id,
  );
