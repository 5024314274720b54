import { change, type PlantedFault } from './plant.ts';

/** A policy that stands beside the roles, in one of the kinds that there are. */
const everything = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }] };

const foreign = (type: string, properties: object): PlantedFault => ({
  name: `an ${type}`,
  plant: (resources) => change(resources, ['Foreign'], { Type: type, Properties: properties }),
  found: new RegExp(`Foreign is of a type that this hub does not need: ${type}; if it does, add it to infra/verify`),
});

const permission = ['CoobyLambdaPermissionHttpApi', 'Properties'] as const;
const topicStatement = ['AlarmTopicPolicy', 'Properties', 'PolicyDocument', 'Statement', 0] as const;

export const accessFaults: readonly PlantedFault[] = [
  foreign('AWS::IAM::Policy', { PolicyName: 'all', PolicyDocument: everything, Roles: [{ Ref: 'CoobyRole' }] }),
  foreign('AWS::IAM::ManagedPolicy', { PolicyDocument: everything, Roles: [{ Ref: 'CoobyRole' }] }),
  foreign('AWS::IAM::RolePolicy', { PolicyName: 'all', PolicyDocument: everything, RoleName: { Ref: 'CoobyRole' } }),
  foreign('AWS::IAM::UserPolicy', { PolicyName: 'all', PolicyDocument: everything, UserName: 'somebody' }),
  foreign('AWS::Lambda::Url', { AuthType: 'NONE', TargetFunctionArn: { Ref: 'AdminLambdaFunction' } }),
  foreign('AWS::SQS::QueuePolicy', {
    Queues: [{ Ref: 'TicksQueue' }],
    PolicyDocument: { Statement: [{ Effect: 'Allow', Principal: '*', Action: 'sqs:*', Resource: '*' }] },
  }),
  {
    name: 'a function that anybody may call',
    plant: (resources) => change(resources, [...permission, 'Principal'], '*'),
    found: /CoobyLambdaPermissionHttpApi lets "\*" call a function/,
  },
  {
    name: 'a function that another service may call',
    plant: (resources) => change(resources, [...permission, 'Principal'], 's3.amazonaws.com'),
    found: /CoobyLambdaPermissionHttpApi lets "s3.amazonaws.com" call a function/,
  },
  {
    name: "a function that anybody's API may call",
    plant: (resources) => change(resources, [...permission, 'SourceArn']),
    found: /CoobyLambdaPermissionHttpApi lets anybody's AWS::ApiGatewayV2::Api call/,
  },
  {
    name: 'a function that every API of a region may call',
    plant: (resources) => change(resources, [...permission, 'SourceArn'], 'arn:aws:execute-api:eu-west-1:1:*/*'),
    found: /CoobyLambdaPermissionHttpApi lets anybody's AWS::ApiGatewayV2::Api call/,
  },
  {
    name: 'a function that others may change',
    plant: (resources) => change(resources, [...permission, 'Action'], 'lambda:*'),
    found: /CoobyLambdaPermissionHttpApi allows lambda:\*/,
  },
  {
    name: 'a topic to which anybody may speak',
    plant: (resources) => change(resources, [...topicStatement, 'Principal'], '*'),
    found: /AlarmTopicPolicy lets others than CloudWatch speak/,
  },
  {
    name: 'a topic to which other accounts may speak as well',
    plant: (resources) => change(resources, [...topicStatement, 'Principal', 'AWS'], '*'),
    found: /AlarmTopicPolicy lets others than CloudWatch speak/,
  },
  {
    name: "a topic to which other accounts' alarms may speak",
    plant: (resources) => change(resources, [...topicStatement, 'Condition']),
    found: /AlarmTopicPolicy lets alarms of other accounts speak/,
  },
  {
    name: 'a topic that others may take over',
    plant: (resources) => change(resources, [...topicStatement, 'Action'], ['sns:Publish', 'sns:AddPermission']),
    found: /AlarmTopicPolicy allows more than to speak/,
  },
  {
    name: 'a bucket that anybody may read',
    plant: (resources) =>
      change(
        resources,
        ['ServerlessDeploymentBucketPolicy', 'Properties', 'PolicyDocument', 'Statement', 0, 'Effect'],
        'Allow',
      ),
    found: /ServerlessDeploymentBucketPolicy lets somebody into the bucket/,
  },
  {
    name: 'a table with a policy of its own',
    plant: (resources) =>
      change(resources, ['Table', 'Properties', 'ResourcePolicy'], {
        PolicyDocument: { Statement: [{ Effect: 'Allow', Principal: '*', Action: 'dynamodb:*', Resource: '*' }] },
      }),
    found: /Table.ResourcePolicy.PolicyDocument.Statement.0 lets "\*" in by a policy of its own/,
  },
];
