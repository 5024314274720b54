import { existsSync, globSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * What each function may do, beside writing its own log: the one table of rights. `infra/roles.cjs` makes the roles of
 * `serverless.yml` from it, and the tests run each function's work under it: what is missing fails, and what no test
 * uses fails too.
 *
 * A word is the beginning of a key: `ACC` grants `ACC#*`, and `WORKSPACES` the whole key of that name. What is not here
 * is not granted; nothing here grants a scan, a star, or the right to pass a role on.
 *
 * IAM bounds a partition and nothing within it: who may write an endpoint's health (`WS`) may write the workspace's
 * credits as well. And it bounds no reader of the stream: what changes in the table comes past `events`, whatever its
 * key. So tokens, keys and secrets of webhooks stand in the table as hashes alone, and credentials in SSM.
 */
export interface Grants {
  /** By the action on the table, the items that it may be done to. */
  readonly table?: Readonly<Partial<Record<TableAction, string>>>;
  /** By the index, the partitions that may be queried. */
  readonly lists?: Readonly<Partial<Record<'gsi1' | 'gsi2' | 'gsi3', string>>>;
  /** The queue whose messages it is called with. */
  readonly takes?: Queue;
  /** Whether it is called with what changes in the table. */
  readonly reads?: 'stream';
  /** Whether it hides a message of that queue for a time of its own choice. */
  readonly hides?: boolean;
  readonly sends?: readonly Queue[];
  /** By the action, parameters in SSM below the stage's own prefix, with blanks between. */
  readonly parameters?: Readonly<Partial<Record<ParameterAction, string>>>;
  /** Whether it sends e-mail, from the address that the parameter `mailFrom` names and from no other. */
  readonly mails?: boolean;
}
type Queue = 'TicksQueue' | 'FallbackQueue' | 'DeliveriesQueue' | 'EventsDeadQueue';
type ParameterAction = 'GetParameter' | 'PutParameter' | 'DeleteParameter';
type TableAction =
  | 'GetItem'
  | 'BatchGetItem'
  | 'Query'
  | 'PutItem'
  | 'UpdateItem'
  | 'DeleteItem'
  | 'ConditionCheckItem'
  | 'BatchWriteItem';

/** Takes a webhook in: sees its token and the event, and neither keys of the API nor accounts nor credits. */
const RECEIVES: Grants = {
  // What an event's refused put brings along has its longer parts elsewhere.
  table: {
    GetItem: 'CHAT HOOK',
    PutItem: 'ATT EVT FEED FIND PERSON',
    UpdateItem: 'CHAT QUAR',
    BatchWriteItem: 'EVT',
    BatchGetItem: 'ACC CHAT EVT',
    Query: 'PERSON WS',
    DeleteItem: 'FIND PERSON',
  },
  // Whether a message was told under another id of its chat.
  lists: { gsi1: 'WS#*#EVT' },
  sends: ['FallbackQueue'],
};

/** Takes in as well what became of sends: settles them, refunds, holds accounts and lets them go on. */
const REPORTS: Grants = {
  table: {
    GetItem: 'ACC CHAT HOOK MSG PID',
    BatchGetItem: 'ACC CHAT EVT MSG PID',
    Query: 'ACC ECHO PERSON WS',
    PutItem: 'ACC ATT EVT FEED FIND PERSON WS',
    UpdateItem: 'ACC CHAT MSG PID QUAR WS',
    DeleteItem: 'ACC ECHO FIND PERSON',
    BatchWriteItem: 'CHAT ECHO EVT',
  },
  lists: { gsi1: 'WS#*#EVT' },
  sends: ['FallbackQueue', 'TicksQueue'],
};

const GRANTS: Readonly<Record<string, Grants>> = {
  admin: {
    table: {
      GetItem: 'ACC AUTO CHAT EP EVT FILL HOOK IDEM KEY MSG PID SESS WORKSPACES WS',
      BatchGetItem: 'ACC CHAT EVT HOOK KEY MSG PID WS',
      Query: 'ACC ATT CHAT ECHO EP EVT FEED FIND PERSON QUAR RULE STAT WORKSPACES WS',
      PutItem: 'ACC EVT FEED FIND HOOK IDEM KEY MSG PERSON SESS WORKSPACES WS',
      UpdateItem: 'ACC ATT AUTO CHAT EVT FEED HOOK MSG PID QUAR SESS WORKSPACES WS',
      // Not a send: credits are counted by sends, so that one is only ever emptied.
      DeleteItem: 'ACC ATT AUTO CHAT ECHO EP EVT FEED FIND HOOK IDEM KEY PERSON PID QUAR RULE SESS WS',
      ConditionCheckItem: 'ACC WORKSPACES',
      BatchWriteItem: 'CHAT ECHO EVT',
    },
    lists: {
      gsi1: 'WS#*#CHAT WS#*#EVT WS#*#SEND',
      gsi2: 'CHAT WS#*#DISMISSED WS#*#QUAR WS#*#RESERVED',
      gsi3: 'WAIT WS#*#PCHAT',
    },
    sends: ['DeliveriesQueue', 'TicksQueue'],
    parameters: {
      // Credentials, for a test of them.
      GetParameter: 'accounts/* admin-key endpoints/* rules/*',
      PutParameter: 'accounts/* endpoints/* rules/*',
      DeleteParameter: 'accounts/* endpoints/* rules/*',
    },
  },
  /** Calls endpoints and sends the mails of rules: it sees events and the secrets of endpoints, and no token and no credentials. */
  deliver: {
    table: {
      // Of an account, the number that a rule or an endpoint asks for.
      GetItem: 'ACC EP EVT FILL WS',
      BatchGetItem: 'EP EVT PID',
      // A replay reads what was stored, in its order.
      Query: 'FEED',
      // Beside an endpoint that is switched off, the event that tells of it.
      PutItem: 'EP EVT FEED',
      // Which of its two events tells of a message of ours.
      UpdateItem: 'EP PID WS',
      DeleteItem: 'EP',
    },
    lists: { gsi3: 'WAIT' },
    takes: 'DeliveriesQueue',
    sends: ['DeliveriesQueue'],
    parameters: { GetParameter: 'endpoints/* rules/*' },
    mails: true,
  },
  /** Looks who wants to hear of what was stored, and calls nobody. */
  events: {
    table: {
      GetItem: 'ACC AUTO CHAT EVT IDEM RULE WORKSPACES WS',
      BatchGetItem: 'ACC CHAT EVT MSG PID',
      Query: 'FIND#*#TITLE PERSON WS',
      PutItem: 'ACC AUTO EVT FEED IDEM MSG RULE WS',
      UpdateItem: 'ACC AUTO PID RULE STAT WS',
      DeleteItem: 'WS',
    },
    lists: { gsi2: 'CHAT', gsi3: 'WS#*#PCHAT' },
    reads: 'stream',
    sends: ['DeliveriesQueue', 'EventsDeadQueue', 'TicksQueue'],
  },
  /** What every provider's webhooks do, for deliveries that the table refused; it is called by no URL. */
  fallback: {
    table: {
      // A webhook where nobody could tell whose a delivery was when it came.
      GetItem: 'ACC CHAT HOOK MSG PID WORKSPACES',
      BatchGetItem: 'ACC CHAT EVT FALLBACK MSG PID',
      Query: 'ACC ECHO PERSON WS',
      PutItem: 'ACC ATT EVT FALLBACK FEED FIND PERSON WS',
      UpdateItem: 'ACC CHAT MSG PID QUAR WS',
      DeleteItem: 'ACC ECHO FIND PERSON',
      BatchWriteItem: 'CHAT ECHO EVT FALLBACK',
    },
    lists: { gsi1: 'WS#*#EVT' },
    takes: 'FallbackQueue',
    sends: ['TicksQueue'],
  },
  send: {
    table: {
      GetItem: 'ACC CHAT HOOK IDEM WORKSPACES WS',
      BatchGetItem: 'ACC CHAT',
      Query: 'FIND#*#TITLE PERSON WS',
      PutItem: 'ACC ATT IDEM MSG WS',
      UpdateItem: 'ACC WS',
    },
    lists: { gsi3: 'WS#*#PCHAT' },
    sends: ['TicksQueue'],
  },
  /** Never sees the token of a webhook. */
  sender: {
    table: {
      GetItem: 'CHAT MSG PID',
      BatchGetItem: 'CHAT',
      Query: 'ACC PERSON',
      PutItem: 'ACC ECHO EVT FEED FIND PERSON WS',
      UpdateItem: 'ACC CHAT MSG PID WS',
      DeleteItem: 'ACC ECHO FIND PERSON',
    },
    takes: 'TicksQueue',
    // A tick that finds its account leased is hidden until the lease may have run out.
    hides: true,
    sends: ['FallbackQueue', 'TicksQueue'],
    parameters: { GetParameter: 'accounts/*' },
  },
  watchdog: {
    table: {
      GetItem: 'ACC CHAT EP EVT FILL HOOK MSG PID WORKSPACES WS',
      BatchGetItem: 'ACC CHAT EVT MSG PID',
      Query: 'ACC ATT CHAT ECHO EP EVT PERSON RULE WORKSPACES WS',
      PutItem: 'ACC ECHO EVT FEED FILL FIND PERSON WS',
      UpdateItem: 'ACC ATT CHAT EVT FEED HOOK MSG PID WORKSPACES WS',
      // What is older than a workspace keeps it. Not a send: it is only ever emptied.
      DeleteItem: 'ACC AUTO CHAT ECHO EP FIND PERSON PID RULE WS',
      ConditionCheckItem: 'WORKSPACES',
    },
    lists: { gsi1: 'WS#*#CHAT WS#*#EVT WS#*#SEND', gsi2: 'CHAT', gsi3: 'DUE' },
    sends: ['DeliveriesQueue', 'TicksQueue'],
    parameters: { GetParameter: 'accounts/*' },
  },
  // It can be sent through, but reports nothing of what became of a send.
  zender: RECEIVES,
};

const FUNCTIONS = fileURLToPath(new URL('../functions', import.meta.url));

/** The folders of `functions/` that are deployed. */
export const functionNames = (): string[] =>
  globSync('*/function.yml', { cwd: FUNCTIONS })
    .map((file) => dirname(file))
    .sort();

/** The folders of providers among them. */
export const providerNames = (): string[] =>
  functionNames().filter((name) => existsSync(join(FUNCTIONS, name, 'provider.ts')));

/** A function that is not named above is a provider's: it reports on sends where there is a way to send through it. */
export function grantsOf(name: string): Grants {
  const named = Object.hasOwn(GRANTS, name) ? GRANTS[name] : undefined;
  return named ?? (existsSync(join(FUNCTIONS, name, 'outbound.ts')) ? REPORTS : RECEIVES);
}

/** The patterns of IAM that a list of words stands for. */
export const patternsOf = (words = ''): string[] =>
  words.split(' ').flatMap((word) => (word === '' ? [] : [word === 'WORKSPACES' ? word : `${word}#*`]));

/** One role for each function, under the name that its `function.yml` gives: `green-api` takes `GreenApiRole`. */
export function roles(): Record<string, object> {
  return Object.fromEntries(functionNames().map((name) => [`${pascal(name)}Role`, roleOf(name)]));
}

const pascal = (name: string): string => name.replace(/(?:^|-)(.)/g, (_, letter: string) => letter.toUpperCase());

function roleOf(name: string): object {
  return {
    Type: 'AWS::IAM::Role',
    Properties: {
      RoleName: sub(`${STAGE}-${name}-\${AWS::Region}`),
      AssumeRolePolicyDocument: {
        Version: '2012-10-17',
        Statement: [{ Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' }, Action: 'sts:AssumeRole' }],
      },
      Policies: [{ PolicyName: name, PolicyDocument: { Version: '2012-10-17', Statement: statementsOf(name) } }],
    },
  };
}

// The CLI replaces these before CloudFormation sees them.
const SLS_STAGE = `\${sls:stage}`;
/** Without the parameter it is one that no mail can have. */
const MAIL_FROM = `\${param:mailFrom, 'nobody@invalid'}`;
const STAGE = `\${self:service}-${SLS_STAGE}`;

const sub = (text: string) => ({ 'Fn::Sub': text });
const arnOf = (id: string) => ({ 'Fn::GetAtt': [id, 'Arn'] });
const arnIn = (service: string, rest: string) =>
  sub(`arn:\${AWS::Partition}:${service}:\${AWS::Region}:\${AWS::AccountId}:${rest}`);

const allow = (Sid: string, Action: string | string[], Resource: object, more: object = {}) => ({
  ...{ Sid, Effect: 'Allow', Action, Resource },
  ...more,
});

/**
 * By the sender and not by the identity: SES also asks for the right to an identity's configuration set, and in its
 * sandbox to the identities of the recipients. A mail with an attachment counts as raw.
 */
const sendMail = () =>
  allow(
    'SendMail',
    ['ses:SendEmail', 'ses:SendRawEmail'],
    [arnIn('ses', 'identity/*'), arnIn('ses', 'configuration-set/*')],
    { Condition: { StringEquals: { 'ses:FromAddress': MAIL_FROM } } },
  );

function statementsOf(name: string): object[] {
  const { table = {}, lists = {}, takes, reads, hides, sends = [], parameters = {}, mails } = grantsOf(name);
  return [
    allow(
      'Log',
      ['logs:CreateLogStream', 'logs:PutLogEvents'],
      arnIn('logs', `log-group:/aws/lambda/${STAGE}-${name}:*`),
    ),
    // One statement for each action: AWS does not say whether the keys of one request are judged one by one.
    ...Object.entries(table).map(([action, words]) =>
      allow(action, `dynamodb:${action}`, arnOf('Table'), keyed(words)),
    ),
    ...Object.entries(lists).map(([index, words]) =>
      allow(`Query${pascal(index)}`, 'dynamodb:Query', sub(`\${Table.Arn}/index/${index}`), keyed(words)),
    ),
    // Lambda itself takes the messages, and needs these three for it.
    ...(takes
      ? [
          allow(
            `Take${takes}`,
            [
              ...['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes'],
              ...(hides ? ['sqs:ChangeMessageVisibility'] : []),
            ],
            arnOf(takes),
          ),
        ]
      : []),
    // These too are Lambda's own calls.
    ...(reads
      ? [
          allow('ReadStream', ['dynamodb:DescribeStream', 'dynamodb:GetRecords', 'dynamodb:GetShardIterator'], {
            'Fn::GetAtt': ['Table', 'StreamArn'],
          }),
          allow('ListStreams', 'dynamodb:ListStreams', sub(`\${Table.Arn}/stream/*`)),
        ]
      : []),
    ...sends.map((queue) => allow(`Send${queue}`, 'sqs:SendMessage', arnOf(queue))),
    ...Object.entries(parameters).map(([action, paths]) => {
      const arns = paths.split(' ').map((path) => arnIn('ssm', `parameter/hookline/${SLS_STAGE}/${path}`));
      return allow(action, `ssm:${action}`, arns.length === 1 && arns[0] ? arns[0] : arns);
    }),
    ...(mails ? [sendMail()] : []),
  ];
}

function keyed(words: string) {
  return {
    Condition: {
      'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': patternsOf(words) },
      // A request that names no key must not count as one whose keys all match.
      Null: { 'dynamodb:LeadingKeys': 'false' },
    },
  };
}
