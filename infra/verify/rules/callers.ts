import { isDeepStrictEqual } from 'node:util';
import { at, listOf, type Named, ofType, references, referred, statementsOf, type Template } from '../template.ts';

/** Who may come in from outside: the API and the schedule call functions, alarms speak to the topic, and nobody else. */
export function callerFaults(template: Template): string[] {
  return [
    ...ofType(template, 'AWS::Lambda::Permission').flatMap((one) => permissionFaults(template, one)),
    ...ofType(template, 'AWS::SNS::TopicPolicy').flatMap(topicFaults),
    ...ofType(template, 'AWS::S3::BucketPolicy').flatMap(bucketFaults),
    ...Object.entries(template.Resources).flatMap(([id, { Type, Properties }]) =>
      WITH_PRINCIPAL.includes(Type) ? [] : strayPrincipals(id, Properties),
    ),
  ];
}

/** Who may call a function, and the kind of resource on whose behalf. */
const CALLERS: Readonly<Record<string, string>> = {
  'apigateway.amazonaws.com': 'AWS::ApiGatewayV2::Api',
  'events.amazonaws.com': 'AWS::Events::Rule',
};

function permissionFaults(template: Template, { id, Properties }: Named): string[] {
  const { Principal: principal, Action: action, SourceArn: source, FunctionUrlAuthType: url } = Properties;
  const kind = typeof principal === 'string' && Object.hasOwn(CALLERS, principal) ? CALLERS[principal] : undefined;
  if (kind === undefined) {
    return [`${id} lets ${JSON.stringify(principal)} call a function: only API Gateway and EventBridge may`];
  }
  const onBehalf = references(source).some((name) => template.Resources[name]?.Type === kind);
  return [
    ...(onBehalf ? [] : [`${id} lets anybody's ${kind} call a function: name the hub's own in SourceArn`]),
    ...(action === 'lambda:InvokeFunction'
      ? []
      : [`${id} allows ${String(action)}: allow lambda:InvokeFunction alone`]),
    ...(url === undefined ? [] : [`${id} opens an address past the API: remove FunctionUrlAuthType`]),
  ];
}

function topicFaults({ id, Properties }: Named): string[] {
  const statements = statementsOf(Properties.PolicyDocument);
  if (!statements) return [`${id} has statements that cannot be read here: write them out`];
  return statements.flatMap((statement) => {
    const isAlarms = isDeepStrictEqual(at(statement, 'Principal'), { Service: 'cloudwatch.amazonaws.com' });
    const isBound = sourcesOf(at(statement, 'Condition')).some((source) => /AccountId\}|AWS::AccountId/.test(source));
    const isPublish = at(statement, 'Action') === 'sns:Publish';
    const isOwn = listOf(at(statement, 'Resource')).every((one) => listOf(Properties.Topics).some(same(one)));
    return [
      ...(isAlarms
        ? []
        : [`${id} lets others than CloudWatch speak to the topic: name cloudwatch.amazonaws.com alone`]),
      ...(isBound ? [] : [`${id} lets alarms of other accounts speak: bind aws:SourceArn to \${AWS::AccountId}`]),
      ...(isPublish && isOwn ? [] : [`${id} allows more than to speak to its topic: allow sns:Publish on it alone`]),
    ];
  });
}

const same = (one: unknown) => (other: unknown) => referred(one) !== undefined && referred(one) === referred(other);

/** The values of a condition on where a call comes from. An operator with `IfExists` or `Not` binds nobody. */
function sourcesOf(condition: unknown): string[] {
  const operators = Object.entries(typeof condition === 'object' && condition !== null ? condition : {});
  return operators
    .filter(([operator]) => /^(Arn|String)(Like|Equals)$/.test(operator))
    .flatMap(([, keys]) => [at(keys, 'aws:SourceArn'), at(keys, 'aws:SourceAccount')])
    .filter((value) => value !== undefined)
    .map((value) => JSON.stringify(value));
}

/** The packager's own policy refuses what is not encrypted on its way, to everybody; it must not start to allow. */
function bucketFaults({ id, Properties }: Named): string[] {
  const refusesOnly = statementsOf(Properties.PolicyDocument)?.every((statement) => at(statement, 'Effect') === 'Deny');
  return refusesOnly ? [] : [`${id} lets somebody into the bucket: leave only statements that deny`];
}

/** The kinds whose principals have a rule of their own. */
const WITH_PRINCIPAL = ['AWS::IAM::Role', 'AWS::Lambda::Permission', 'AWS::SNS::TopicPolicy', 'AWS::S3::BucketPolicy'];

/** Tables, streams and log groups can have a policy within their own properties. */
function strayPrincipals(path: string, value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) =>
    /^(Not)?Principal$/.test(name)
      ? [`${path} lets ${JSON.stringify(inner)} in by a policy of its own: remove it`]
      : strayPrincipals(`${path}.${name}`, inner),
  );
}
