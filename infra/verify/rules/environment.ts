import { at, ofType, type Template } from '../template.ts';

/** These are for the local host and for tests; in a deployed function each of them is a hole or a broken promise. */
const LOCAL = /^(AWS_ENDPOINT_URL.*|HOOKLINE_(ALLOW_PRIVATE_HOSTS|ADMIN_KEY|DATA|DYNAMODB_ENDPOINT|\w+_MS))$/;
const SECRET_NAME = /SECRET(?!S_PREFIX)|TOKEN|PASSWORD|CREDENTIAL|API_?KEY|PRIVATE_KEY/;

/** Environments are readable with one permission, and end up in crash reports: they hold names of things, no secret. */
export function environmentFaults(template: Template): string[] {
  return ofType(template, 'AWS::Lambda::Function').flatMap(({ id, Properties }) => {
    const variables = at(Properties.Environment, 'Variables') ?? {};
    return Object.entries(variables).flatMap(([name, value]) => [
      ...(LOCAL.test(name) ? [`${id} has ${name}, which is for one's own machine alone`] : []),
      ...(SECRET_NAME.test(name) || looksSecret(value) ? [`${id} has ${name}, which looks like a secret`] : []),
    ]);
  });
}

/** Long, without a separator of words, of letters and digits mixed: nobody names a thing like that. */
function looksSecret(value: unknown): boolean {
  return typeof value === 'string' && /(?=\w*\d)(?=\w*[A-Za-z])\w{20,}/.test(value);
}
