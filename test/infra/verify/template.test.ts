import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildFunctions } from '#infra/build/bundle.ts';
import { functionNames, providerNames } from '#infra/grants.ts';
import { packageStage } from '#infra/verify/packaging.ts';
import { METRICS } from '#lib/domain/ports.ts';
import {
  at,
  listOf,
  type Named,
  ofType,
  references,
  referred,
  type Template,
  templateIn,
} from '#test/support/packaged-template.ts';

/** What a deployment promises and no linter knows: cfn-lint, in `npm run verify:deploy`, sees to the rest. */
const folder = mkdtempSync(join(tmpdir(), 'hookline-template-'));
const stages: Record<'dev' | 'prod', Template> = {
  dev: { Resources: {}, Outputs: {} },
  prod: { Resources: {}, Outputs: {} },
};
const all = (type: string): Named[] => ofType(stages.prod, type);
const one = (id: string) => {
  const resource = stages.prod.Resources[id];
  if (!resource) throw new Error(`the template has no ${id}`);
  return resource;
};

beforeAll(async () => {
  await buildFunctions({ functions: 'functions', dist: 'dist' });
  for (const [stage, ...parameters] of [['dev', 'mailFrom=hub@example.com'], ['prod']] as const) {
    await packageStage(stage, join(folder, stage), ...parameters);
    stages[stage] = templateIn(join(folder, stage));
  }
}, 60_000);

afterAll(() => rmSync(folder, { recursive: true }));

test('holds the kinds of resources that the hub is made of, and no other that could grant anything', () => {
  const kinds = new Set(Object.values(stages.prod.Resources).map(({ Type }) => Type.replace('AWS::', '')));
  expect([...kinds].sort()).toEqual([
    ...['ApiGatewayV2::Api', 'ApiGatewayV2::Integration', 'ApiGatewayV2::Route', 'ApiGatewayV2::Stage'],
    ...['CloudWatch::Alarm', 'CloudWatch::Dashboard', 'DynamoDB::Table', 'Events::Rule', 'IAM::Role'],
    ...['Lambda::EventInvokeConfig', 'Lambda::EventSourceMapping', 'Lambda::Function', 'Lambda::Permission'],
    ...['Logs::LogGroup', 'S3::Bucket', 'S3::BucketPolicy', 'SNS::Subscription', 'SNS::Topic', 'SNS::TopicPolicy'],
    'SQS::Queue',
  ]);
});

describe('roles', () => {
  const statements = (role: Named) =>
    listOf(at(role.Properties, 'Policies')).flatMap((policy) => listOf(at(policy, 'PolicyDocument', 'Statement')));

  test('are one for each function, made for it, and for Lambda alone', () => {
    const used = all('AWS::Lambda::Function').map(({ Properties }) => referred(Properties.Role));
    expect(used).toHaveLength(functionNames().length);
    expect(used.toSorted()).toEqual(
      all('AWS::IAM::Role')
        .map(({ id }) => id)
        .sort(),
    );
    for (const { Properties } of all('AWS::IAM::Role')) {
      const trusted = at(Properties, 'AssumeRolePolicyDocument', 'Statement');
      expect(listOf(trusted).map((each) => at(each, 'Principal'))).toEqual([{ Service: 'lambda.amazonaws.com' }]);
      expect(Properties).not.toHaveProperty('ManagedPolicyArns');
    }
  });

  test('grant no star and no scan, and bind every action on the table to keys', () => {
    for (const role of all('AWS::IAM::Role')) {
      expect(statements(role).length).toBeGreaterThan(4);
      for (const statement of statements(role)) {
        const actions = listOf(at(statement, 'Action')).map(String);
        expect(actions.join()).not.toMatch(/[*?]|Scan|PassRole/);
        expect(at(statement, 'Resource')).not.toBe('*');
        // The stream has no keys to bind to: it is filtered where it is mapped.
        if (!actions.join().includes('dynamodb:') || /Stream|Shard|Records/.test(actions.join())) continue;
        const keys = listOf(at(statement, 'Condition', 'ForAllValues:StringLike', 'dynamodb:LeadingKeys'));
        expect(keys.map(String).join(' ')).toMatch(/^([A-Z]+(#\S*\*)?( |$))+$/);
        expect(at(statement, 'Condition', 'Null')).toEqual({ 'dynamodb:LeadingKeys': 'false' });
      }
    }
  });
});

test.each([
  ['prod', 'nobody@invalid', ''],
  ['dev', 'hub@example.com', 'hub@example.com'],
] as const)(
  'lets the deliverer of %s alone send e-mail, and only from the address of the parameter: %s',
  (stage, from, told) => {
    const mailing = ofType(stages[stage], 'AWS::IAM::Role').flatMap(({ id, Properties }) =>
      listOf(at(Properties, 'Policies'))
        .flatMap((policy) => listOf(at(policy, 'PolicyDocument', 'Statement')))
        .filter((statement) => JSON.stringify(statement).includes('ses:'))
        .map((statement) => [id, at(statement, 'Condition')]),
    );
    expect(mailing).toEqual([['DeliverRole', { StringEquals: { 'ses:FromAddress': from } }]]);
    const given = ofType(stages[stage], 'AWS::Lambda::Function').flatMap(({ id, Properties }) => {
      const address = at(Properties, 'Environment', 'Variables', 'HOOKLINE_MAIL_FROM');
      return address === undefined ? [] : [[id, address]];
    });
    expect(given).toEqual([
      ['AdminLambdaFunction', told],
      ['DeliverLambdaFunction', told],
    ]);
  },
);

test('lets only the API and the schedule call functions, and only alarms of this account speak to the topic', () => {
  const CALLERS: Record<string, string> = {
    'apigateway.amazonaws.com': 'AWS::ApiGatewayV2::Api',
    'events.amazonaws.com': 'AWS::Events::Rule',
  };
  for (const { Properties } of all('AWS::Lambda::Permission')) {
    const [source = ''] = references(Properties.SourceArn).filter((name) => stages.prod.Resources[name]);
    expect(stages.prod.Resources[source]?.Type).toBe(CALLERS[String(Properties.Principal)]);
    expect(Properties).toMatchObject({ Action: 'lambda:InvokeFunction' });
    expect(Properties).not.toHaveProperty('FunctionUrlAuthType');
  }
  for (const { Properties } of all('AWS::SNS::TopicPolicy')) {
    const [statement, ...others] = listOf(at(Properties, 'PolicyDocument', 'Statement'));
    expect(others).toEqual([]);
    expect(statement).toMatchObject({ Principal: { Service: 'cloudwatch.amazonaws.com' }, Action: 'sns:Publish' });
    expect(JSON.stringify(at(statement, 'Condition'))).toMatch(/aws:Source(Arn|Account).*AWS::AccountId/);
  }
});

describe('queues', () => {
  test('are encrypted, keep dead letters for 14 days, and lend themselves to no other', () => {
    for (const { id, Properties } of all('AWS::SQS::Queue')) {
      const isDead = id.endsWith('DeadQueue');
      // Of the stream's, the dead come from no queue.
      const isLent = isDead && id !== 'EventsDeadQueue';
      expect(Properties.SqsManagedSseEnabled, id).toBe(true);
      expect(at(Properties, 'RedriveAllowPolicy', 'redrivePermission'), id).toBe(isLent ? 'byQueue' : 'denyAll');
      if (isDead) expect(Properties.MessageRetentionPeriod, id).toBe(14 * 24 * 3600);
      else expect(referred(at(Properties, 'RedrivePolicy', 'deadLetterTargetArn')), id).toMatch(/DeadQueue$/);
    }
  });

  test('are read, by functions that return single failures, within bounds, and hide a message for six time-outs', () => {
    const mappings = all('AWS::Lambda::EventSourceMapping')
      .map(({ Properties }) => Properties)
      .filter(({ EventSourceArn }) => referred(EventSourceArn) !== 'Table');
    const read = mappings.map(({ EventSourceArn }) => referred(EventSourceArn) ?? '');
    const living = all('AWS::SQS::Queue').filter(({ id }) => !id.endsWith('DeadQueue'));
    expect(read.sort()).toEqual(living.map(({ id }) => id).sort());
    for (const mapping of mappings) {
      expect(mapping).toMatchObject({ FunctionResponseTypes: ['ReportBatchItemFailures'] });
      expect(mapping).not.toHaveProperty('FilterCriteria');
      expect(mapping.Enabled ?? true).toBe(true);
      expect(Number(at(mapping, 'ScalingConfig', 'MaximumConcurrency'))).toBeGreaterThan(0);
      const queue = one(referred(mapping.EventSourceArn) ?? '').Properties;
      const reader = one(referred(mapping.FunctionName) ?? '').Properties;
      expect(Number(queue.VisibilityTimeout)).toBeGreaterThanOrEqual(6 * Number(reader.Timeout));
    }
  });

  // Lambda stops a function that feeds its own queue after some 16 rounds, unless that is said to be meant.
  test.each(['Sender', 'Deliver'])('may be fed by the function that reads them: %s', (name) => {
    expect(one(`${name}LambdaFunction`).Properties.RecursiveLoop).toBe('Allow');
  });
});

test('reads the stream from its beginning, in parts that fail by themselves, and of the table only events and sends', () => {
  const [mapping, ...others] = all('AWS::Lambda::EventSourceMapping')
    .map(({ Properties }) => Properties)
    .filter(({ EventSourceArn }) => referred(EventSourceArn) === 'Table');
  expect(others).toEqual([]);
  expect(mapping).toMatchObject({
    StartingPosition: 'TRIM_HORIZON',
    BisectBatchOnFunctionError: true,
    MaximumBatchingWindowInSeconds: 1,
    FunctionResponseTypes: ['ReportBatchItemFailures'],
    MaximumRecordAgeInSeconds: 86_400,
    // Without one, Lambda does not say from which shard a batch is.
    TumblingWindowInSeconds: 900,
  });
  expect(referred(at(mapping, 'DestinationConfig', 'OnFailure', 'Destination'))).toBe('EventsDeadQueue');
  const [filter] = listOf(at(mapping, 'FilterCriteria', 'Filters')).map((one) =>
    JSON.parse(String(at(one, 'Pattern'))),
  );
  expect(filter).toEqual({
    eventName: ['INSERT', 'MODIFY'],
    dynamodb: { Keys: { pk: { S: [{ prefix: 'EVT#' }, { prefix: 'MSG#' }] }, sk: { S: ['META'] } } },
  });
  expect(one('Table').Properties).toMatchObject({ StreamSpecification: { StreamViewType: 'NEW_AND_OLD_IMAGES' } });
});

test('has Lambda log of its own what went wrong alone, and all that the functions log', () => {
  const functions = all('AWS::Lambda::Function').filter(({ Properties }) => at(Properties, 'Runtime') === 'nodejs24.x');
  const logs = { LogFormat: 'JSON', ApplicationLogLevel: 'INFO', SystemLogLevel: 'WARN' };
  expect(functions.length).toBeGreaterThan(10);
  for (const { Properties } of functions) expect(Properties.LoggingConfig).toEqual(logs);
});

test('calls the watchdog each minute, and repeats no run of it', () => {
  const [rule, ...others] = all('AWS::Events::Rule');
  expect(others).toEqual([]);
  expect(rule?.Properties).toMatchObject({ ScheduleExpression: 'rate(1 minute)', State: 'ENABLED' });
  expect(references(rule?.Properties.Targets)).toContain('WatchdogLambdaFunction');
  const settings = all('AWS::Lambda::EventInvokeConfig').map(({ Properties }) => Properties);
  expect(settings).toMatchObject([{ MaximumRetryAttempts: 0, MaximumEventAgeInSeconds: 60, Qualifier: '$LATEST' }]);
});

test('logs for a limited time, and never the path of a request, which ends in a token', () => {
  const groups = all('AWS::Logs::LogGroup');
  expect(groups.length).toBeGreaterThan(functionNames().length);
  for (const { Properties } of groups) expect(Number(Properties.RetentionInDays)).toBeLessThanOrEqual(90);
  for (const { Properties } of all('AWS::ApiGatewayV2::Stage')) {
    const format = String(at(Properties, 'AccessLogSettings', 'Format'));
    expect(format).toContain('$context.routeKey');
    expect(format).not.toMatch(/context\.(path|http\.path|customDomain|identity|authorizer)|\$request/);
  }
});

test('gives functions the names of things, and no secret, and no switch of the local hub', () => {
  const ALLOWED: Record<string, RegExp> = {
    HOOKLINE_TABLE: /^\{"Ref":"Table"\}$/,
    HOOKLINE_TICKS_QUEUE_URL: /^\{"Ref":"TicksQueue"\}$/,
    HOOKLINE_DELIVERIES_QUEUE_URL: /^\{"Ref":"DeliveriesQueue"\}$/,
    HOOKLINE_EVENTS_DEAD_QUEUE_URL: /^\{"Ref":"EventsDeadQueue"\}$/,
    HOOKLINE_FALLBACK_QUEUE_URL: /^\{"Ref":"FallbackQueue"\}$/,
    HOOKLINE_SECRETS_PREFIX: /^"\/hookline\/prod"$/,
    HOOKLINE_START_CREDITS: /^"0"$/,
    HOOKLINE_MAIL_FROM: /^""$/,
    POWERTOOLS_SERVICE_NAME: /^"hookline-prod"$/,
  };
  for (const { Properties } of all('AWS::Lambda::Function')) {
    const variables = Object.entries(at(Properties, 'Environment', 'Variables') ?? {});
    expect(variables.length).toBeGreaterThan(3);
    for (const [name, value] of variables) expect(JSON.stringify(value), name).toMatch(ALLOWED[name] ?? /^nothing$/);
  }
});

test('runs on Node.js 24 and arm64, and answers sooner than API Gateway hangs up', () => {
  const answering = all('AWS::ApiGatewayV2::Integration').map(({ Properties }) => referred(Properties.IntegrationUri));
  for (const { id, Properties } of all('AWS::Lambda::Function')) {
    expect(Properties).toMatchObject({ Runtime: 'nodejs24.x', Architectures: ['arm64'] });
    expect(Properties.ReservedConcurrentExecutions).not.toBe(0);
    if (answering.includes(id)) expect(Number(Properties.Timeout)).toBeLessThan(30);
  }
});

test("leaves other origins to the functions, and lets fewer requests through to people's routes", () => {
  expect(one('HttpApi').Properties).not.toHaveProperty('CorsConfiguration');
  const { DefaultRouteSettings: most, RouteSettings: own } = one('HttpApiStage').Properties;
  for (const limit of ['ThrottlingRateLimit', 'ThrottlingBurstLimit']) {
    for (const route of ['ANY /api/{proxy+}', '$default', 'POST /send/{token+}']) {
      expect(Number(at(own, route, limit)), `${route} ${limit}`).toBeGreaterThan(0);
      expect(Number(at(own, route, limit)), `${route} ${limit}`).toBeLessThan(Number(at(most, limit)));
    }
  }
});

test('keeps the table through mistakes, and lets it forget what has run out', () => {
  expect(one('Table')).toMatchObject({
    DeletionPolicy: 'Retain',
    UpdateReplacePolicy: 'Retain',
    Properties: {
      DeletionProtectionEnabled: true,
      BillingMode: 'PAY_PER_REQUEST',
      PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
      SSESpecification: { SSEEnabled: true },
      TimeToLiveSpecification: { AttributeName: 'expiresAt', Enabled: true },
    },
  });
  expect(stages.dev.Resources.Table).toMatchObject({ DeletionPolicy: 'Delete', UpdateReplacePolicy: 'Retain' });
});

describe('alarms', () => {
  const watched = ({ Properties }: Named) => [
    ...(Properties.MetricName === undefined ? [] : [Properties]),
    ...listOf(Properties.Metrics).flatMap((part) => at(part, 'MetricStat', 'Metric') ?? []),
  ];

  test('tell the topic, are switched on, and say what silence means', () => {
    for (const { id, Properties } of all('AWS::CloudWatch::Alarm')) {
      expect(listOf(Properties.AlarmActions).map(referred), id).toEqual(['AlarmTopic']);
      expect(Properties.ActionsEnabled ?? true, id).toBe(true);
      expect(Properties, id).toHaveProperty('TreatMissingData');
    }
  });

  test.each([
    ['AWS/SQS', 'ApproximateNumberOfMessagesVisible', 0, 'TicksDeadQueue'],
    ['AWS/SQS', 'ApproximateNumberOfMessagesVisible', 0, 'FallbackDeadQueue'],
    ['AWS/ApiGateway', '5xx', 10, 'HttpApi'],
    ['AWS/DynamoDB', 'WriteThrottleEvents', 100, 'Table'],
    ['AWS/DynamoDB', 'ReadThrottleEvents', 100, 'Table'],
    ['AWS/Lambda', 'Throttles', 10, undefined],
    ['Hookline', 'RefusedDeliveries', 0, undefined],
    ['Hookline', 'QuarantinedEvents', 0, undefined],
    ['Hookline', 'UnknownSends', 0, undefined],
    ['Hookline', 'HeldAccounts', 0, undefined],
    ['Hookline', 'OldestOverdue', 600, undefined],
    ['AWS/Lambda', 'IteratorAge', 300_000, undefined],
    ['AWS/SQS', 'ApproximateNumberOfMessagesVisible', 0, 'EventsDeadQueue'],
    ['AWS/SQS', 'ApproximateNumberOfMessagesVisible', 0, 'DeliveriesDeadQueue'],
    ['Hookline', 'Deliveries', 0, undefined],
    ['Hookline', 'EndpointsFailing', 0, undefined],
    ['Hookline', 'EndpointsDisabled', 0, undefined],
    ['Hookline', 'RulesPaused', 0, undefined],
  ])('look at %s %s above %i of %s', (namespace, metric, most, of) => {
    const found = all('AWS::CloudWatch::Alarm').filter((alarm) => {
      const isAbove = String(alarm.Properties.ComparisonOperator).startsWith('GreaterThan');
      return isAbove && Number(alarm.Properties.Threshold) <= most && watched(alarm).some(isOn);
    });
    expect(found.length).toBeGreaterThan(0);
    function isOn(one: unknown): boolean {
      const dimensions = references(at(one, 'Dimensions'));
      const isThis = at(one, 'Namespace') === namespace && at(one, 'MetricName') === metric;
      return isThis && (of === undefined || dimensions.includes(of));
    }
  });

  test('ring when the watchdog is silent', () => {
    const silent = all('AWS::CloudWatch::Alarm').filter(({ Properties }) =>
      String(Properties.ComparisonOperator).startsWith('LessThan'),
    );
    expect(silent.map(({ Properties }) => Properties.TreatMissingData)).toContain('breaching');
  });

  // An alarm or a graph on a metric that nobody emits is always calm.
  test('look, as graphs do, only at metrics of ours that are counted, and by what they are split by', () => {
    const counted = (name: string, by: readonly string[]) => {
      const metric = Object.entries(METRICS).find(([known]) => known === name)?.[1];
      expect([['service'], ['service', ...(metric?.by ?? [])]].map(String), name).toContain(String(by));
      expect(metric, name).toBeDefined();
    };
    for (const alarm of all('AWS::CloudWatch::Alarm')) {
      for (const metric of watched(alarm)) {
        if (at(metric, 'Namespace') !== 'Hookline') continue;
        const by = listOf(at(metric, 'Dimensions')).map((dimension) => String(at(dimension, 'Name')));
        counted(String(at(metric, 'MetricName')), by);
      }
    }
    for (const row of rows()) {
      const [namespace, name, ...rest] = listOf(row);
      if (namespace !== 'Hookline') continue;
      counted(String(name), rest.filter((part, index) => index % 2 === 0 && typeof part === 'string').map(String));
    }
  });

  // CloudWatch refuses a dashboard, and with it the deployment, that has anything but lists for its rows.
  test('have a dashboard whose rows are lists of words, with options last', () => {
    expect(rows().length).toBeGreaterThan(30);
    for (const row of rows()) {
      expect(Array.isArray(row)).toBe(true);
      expect(
        listOf(row)
          .slice(0, -1)
          .every((part) => typeof part === 'string'),
      ).toBe(true);
    }
  });

  test('have a dashboard with the webhooks of every provider', () => {
    const drawn = rows().filter((row) => at(row, 1) === 'Invocations');
    expect(drawn.map((row) => at(row, 3))).toEqual(providerNames().map((name) => `hookline-prod-${name}`));
  });

  function rows(): unknown[] {
    const body = JSON.parse(String(at(one('Dashboard').Properties.DashboardBody, 'Fn::Sub')));
    return listOf(at(body, 'widgets')).flatMap((widget) => listOf(at(widget, 'properties', 'metrics')));
  }
});
