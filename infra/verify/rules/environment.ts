import type { Environment } from '#lib/adapters/env.ts';
import { at, type Named, ofType, referred, type Template } from '../template.ts';

type Allowed = (template: Template, value: unknown) => boolean;

const named =
  (type: string): Allowed =>
  (template, value) =>
    template.Resources[referred(value) ?? '']?.Type === type;

const spelled =
  (form: RegExp): Allowed =>
  (_, value) =>
    typeof value === 'string' && form.test(value);

/**
 * The names that a deployed function is given, of those that lib/adapters/env.ts reads, and what may stand there. No
 * other is let through: what is not on this list may be a secret, or a switch that is for one's own machine alone.
 */
const ALLOWED: Readonly<Partial<Record<keyof Environment, Allowed>>> = {
  HOOKLINE_TABLE: named('AWS::DynamoDB::Table'),
  HOOKLINE_TICKS_QUEUE_URL: named('AWS::SQS::Queue'),
  HOOKLINE_FALLBACK_QUEUE_URL: named('AWS::SQS::Queue'),
  HOOKLINE_SECRETS_PREFIX: spelled(/^\/hookline\/[\w-]{1,28}$/),
  HOOKLINE_START_CREDITS: spelled(/^\d{1,9}$/),
  POWERTOOLS_SERVICE_NAME: spelled(/^hookline-[\w-]{1,28}$/),
};

const HERE = 'infra/verify/rules/environment.ts';

/** Environments are readable with one permission, and end up in crash reports: they hold names of things, no secret. */
export function environmentFaults(template: Template): string[] {
  return ofType(template, 'AWS::Lambda::Function').flatMap((one) => functionFaults(template, one));
}

/** No sentence repeats a value: it may be the secret. */
function functionFaults(template: Template, { id, Properties }: Named): string[] {
  const environment = Object.entries(Properties.Environment ?? {});
  const variables = Object.entries(at(Properties.Environment, 'Variables') ?? {});
  return [
    ...environment
      .filter(([part]) => part !== 'Variables')
      .map(([part]) => `${id} has an environment by ${part}, which cannot be read here: write Variables out`),
    ...variables.flatMap(([name, value]) => {
      const allowed = Object.entries(ALLOWED).find(([known]) => known === name)?.[1];
      if (!allowed) {
        return [`${id} has ${name}, which no deployed function is given: keep secrets in SSM; else add it to ${HERE}`];
      }
      return allowed(template, value) ? [] : [`${id}: ${name} does not hold what it should: see ${HERE}`];
    }),
  ];
}
