import { change, type PlantedFault } from './plant.ts';

const ENVIRONMENT = ['SenderLambdaFunction', 'Properties', 'Environment'] as const;

const given = (name: string, variable: string, value: unknown, found: RegExp): PlantedFault => ({
  name,
  plant: (resources) => change(resources, [...ENVIRONMENT, 'Variables', variable], value),
  found,
});

const nowhere = (variable: string) =>
  new RegExp(`SenderLambdaFunction has ${variable}, which no deployed function is given: keep secrets in SSM`);
const notThat = (variable: string) => new RegExp(`SenderLambdaFunction: ${variable} does not hold what it should`);

export const environmentFaults: readonly PlantedFault[] = [
  given('a secret in the environment', 'ADMIN_TOKEN', 'x', nowhere('ADMIN_TOKEN')),
  given('a secret under a harmless name', 'ADMIN', 'hunter2hunter2', nowhere('ADMIN')),
  given('options for Node.js', 'NODE_OPTIONS', '--inspect', nowhere('NODE_OPTIONS')),
  given('the switch for private hosts', 'HOOKLINE_ALLOW_PRIVATE_HOSTS', '1', nowhere('HOOKLINE_ALLOW_PRIVATE_HOSTS')),
  given('another endpoint', 'AWS_ENDPOINT_URL_SSM', 'http://a', nowhere('AWS_ENDPOINT_URL_SSM')),
  given(
    'a secret in the place of a name',
    'POWERTOOLS_SERVICE_NAME',
    'hunter2hunter2',
    notThat('POWERTOOLS_SERVICE_NAME'),
  ),
  given(
    'a secret that CloudFormation fetches',
    'HOOKLINE_SECRETS_PREFIX',
    '{{resolve:ssm-secure:/hookline/prod/admin-key}}',
    notThat('HOOKLINE_SECRETS_PREFIX'),
  ),
  given('a table of another stack', 'HOOKLINE_TABLE', 'hookline-other', notThat('HOOKLINE_TABLE')),
  {
    name: 'an environment that a condition chooses',
    plant: (resources) => change(resources, ENVIRONMENT, { 'Fn::If': ['HasAlarmAddress', {}, {}] }),
    found: /SenderLambdaFunction has an environment by Fn::If, which cannot be read here/,
  },
];
