import { parseArgs } from 'node:util';
import { CloudFormationClient, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { GetParameterCommand, ParameterNotFound, PutParameterCommand, SSMClient } from '@aws-sdk/client-ssm';

/** A stage in whatever account the AWS settings of this shell name: keys, a profile, single sign-on. */
export function stageOnAws(stack: string, parameter: string, region: string): Stage {
  const ssm = new SSMClient({ region });
  const cloudFormation = new CloudFormationClient({ region });
  return {
    url: async () => {
      const described = await cloudFormation
        .send(new DescribeStacksCommand({ StackName: stack }))
        .catch(unless((error) => error.name === 'ValidationError'));
      return described?.Stacks?.[0]?.Outputs?.find(({ OutputKey }) => OutputKey === 'Webhooks')?.OutputValue;
    },
    readKey: async () => {
      const found = await ssm
        .send(new GetParameterCommand({ Name: parameter, WithDecryption: true }))
        .catch(unless((error) => error instanceof ParameterNotFound));
      return found?.Parameter?.Value;
    },
    writeKey: async (key) => {
      const secure = { Name: parameter, Value: key, Type: 'SecureString', Overwrite: true } as const;
      await ssm.send(new PutParameterCommand(secure));
    },
  };
}

/** What is not there is an answer; anything else, such as a missing permission, is not. */
function unless(isAbsence: (error: Error) => boolean) {
  return (error: unknown): undefined => {
    if (!(error instanceof Error) || !isAbsence(error)) throw error;
  };
}

/** What was asked for on the command line; or the usage, with what is wrong where something is. */
export type Asked =
  | {
      readonly kind: 'setup';
      readonly stage: string;
      readonly region: string;
      readonly rotate: boolean;
      readonly show: boolean;
    }
  | { readonly kind: 'help' }
  | { readonly kind: 'wrong'; readonly why: string };

export const USAGE = `npm run setup -- [--stage dev] [--region eu-central-1] [--rotate] [--show]

Makes the admin key of a deployed hub, and says what to do next. It may be run again at any time.

  --stage   the stage that was deployed, dev if not given
  --region  the region that it was deployed to, AWS_REGION if not given, else eu-central-1
  --rotate  replaces the key; the old one stops within five minutes
  --show    prints the key, alone on standard output: export ADMIN_KEY=$(npm run --silent setup -- --show)
`;

export function readArguments(args: readonly string[], regionOfShell: string | undefined): Asked {
  try {
    const { help, ...values } = parseArgs({ args: [...args], options: optionsIn(regionOfShell) }).values;
    return help ? { kind: 'help' } : { kind: 'setup', ...values };
  } catch (cause) {
    return { kind: 'wrong', why: cause instanceof Error ? cause.message : String(cause) };
  }
}

const optionsIn = (regionOfShell: string | undefined) =>
  ({
    stage: { type: 'string', default: 'dev' },
    // The same default as in serverless.yml.
    region: { type: 'string', default: regionOfShell || 'eu-central-1' },
    rotate: { type: 'boolean', default: false },
    show: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  }) as const;

/** By these names AWS and its library say that there are no credentials, or none that are valid now. */
const NOT_SIGNED_IN = [
  'CredentialsProviderError',
  'TokenProviderError',
  'ExpiredToken',
  'ExpiredTokenException',
  'InvalidClientTokenId',
  'UnrecognizedClientException',
  'SignatureDoesNotMatch',
  'InvalidSignatureException',
  'MissingAuthenticationToken',
  'MissingAuthenticationTokenException',
  'RequestExpired',
];

/** What whoever runs the set-up can mend, in one sentence; undefined for any other fault. */
export function refusal(error: unknown, region: string): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const [first = ''] = error.message.trim().split('\n');
  const said = first.replace(/\.$/, '');
  if (NOT_SIGNED_IN.includes(error.name)) {
    return `Sign in first: docs/operations.md, First deploy, step 2 (${said}).`;
  }
  if (error.name.startsWith('AccessDenied')) {
    return `Sign in as somebody who is allowed to: docs/operations.md, First deploy, step 2 (${said}).`;
  }
  return 'code' in error && error.code === 'ENOTFOUND'
    ? `There is no way to AWS in ${region}: check the region's name and the network (${said}).`
    : undefined;
}

/** What set-up needs to know and change of a stage. */
interface Stage {
  /** Where the deployed stack answers; undefined where there is none. */
  url(): Promise<string | undefined>;
  readKey(): Promise<string | undefined>;
  writeKey(key: string): Promise<void>;
}

export interface SetupOptions {
  readonly stage: string;
  readonly region: string;
  readonly makeKey: () => string;
  /** Replaces the key. A function that has read the old one takes it for five minutes more. */
  readonly rotate: boolean;
  /** Hands the key out. Without it no secret gets onto a screen, or into the log of a pipeline. */
  readonly show: boolean;
}

interface SetUp {
  readonly done: boolean;
  readonly lines: readonly string[];
  /** Only where it was asked for. */
  readonly key?: string;
}

/** Makes the admin key. Safe to repeat: a key that is there stays, unless it is to be replaced. */
export async function setUp(stage: Stage, options: SetupOptions): Promise<SetUp> {
  const url = await stage.url();
  if (url === undefined) return { done: false, lines: nothingThere(options) };
  const before = await stage.readKey();
  const key = before === undefined || options.rotate ? options.makeKey() : before;
  if (key !== before) await stage.writeKey(key);
  const lines = [whatWasDone(before, key), '', ...nextStep(url, options)];
  return { done: true, lines, ...(options.show ? { key } : {}) };
}

/** As they are passed to every script. */
const flagsOf = ({ stage, region }: SetupOptions): string => `--stage ${stage} --region ${region}`;

/** More often the region is another than the hub was never deployed; a second hub by mistake would be hard to notice. */
function nothingThere(options: SetupOptions): string[] {
  return [
    `Nothing is deployed as hookline-${options.stage} in ${options.region}.`,
    'Was another region meant? Name it with --region or AWS_REGION.',
    'If there is no hub yet, deploy one there first:',
    `  npm run deploy -- ${flagsOf(options)}`,
  ];
}

function whatWasDone(before: string | undefined, key: string): string {
  if (before === undefined) return 'The admin key was made.';
  return key === before
    ? 'The admin key is there already.'
    : 'The admin key was replaced; the old one stops within five minutes.';
}

function nextStep(url: string, options: SetupOptions): string[] {
  const show = `setup -- ${flagsOf(options)} --show`;
  return [
    ...(options.show ? [] : ['To see it, or to keep it in this shell:', `  npm run ${show}`, variable(show)]),
    'Next, make a webhook; the answer holds the URL for the settings of your provider, this once:',
    `  curl ${url}/api/webhooks -H "authorization: Bearer $ADMIN_KEY" -H 'content-type: application/json' \\`,
    `    -d '{"kind": "receive", "provider": "sandbox", "name": "First"}'`,
    'docs/operations.md says where each provider asks for it.',
  ];
}

/** npm writes a heading of its own to standard output unless it is told to be silent. */
const variable = (show: string): string => `  export ADMIN_KEY=$(npm run --silent ${show})`;
