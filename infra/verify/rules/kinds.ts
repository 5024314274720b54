import { ofType, type Template } from '../template.ts';

/** Every kind of resource that the hub is made of, with the fewest that it needs. What is not here grants nothing. */
const KINDS: Readonly<Record<string, number>> = {
  'AWS::ApiGatewayV2::Api': 1,
  'AWS::ApiGatewayV2::Integration': 1,
  'AWS::ApiGatewayV2::Route': 1,
  'AWS::ApiGatewayV2::Stage': 1,
  'AWS::CloudWatch::Alarm': 1,
  'AWS::CloudWatch::Dashboard': 1,
  'AWS::DynamoDB::Table': 1,
  'AWS::Events::Rule': 1,
  'AWS::IAM::Role': 1,
  'AWS::Lambda::EventInvokeConfig': 0,
  'AWS::Lambda::EventSourceMapping': 1,
  'AWS::Lambda::Function': 1,
  'AWS::Lambda::Permission': 1,
  'AWS::Logs::LogGroup': 1,
  // The packager's own, for the zips.
  'AWS::S3::Bucket': 0,
  'AWS::S3::BucketPolicy': 0,
  'AWS::SNS::Subscription': 0,
  'AWS::SNS::Topic': 1,
  'AWS::SNS::TopicPolicy': 1,
  'AWS::SQS::Queue': 1,
};

const HERE = 'infra/verify/rules/kinds.ts';

/** A kind of resource that nobody thought of has no rule, so it could be anything: a policy, a public address. */
export function kindFaults(template: Template): string[] {
  const foreign = Object.entries(template.Resources).filter(([, { Type }]) => !Object.hasOwn(KINDS, Type));
  const missing = Object.entries(KINDS).filter(([type, fewest]) => ofType(template, type).length < fewest);
  return [
    ...foreign.map(
      ([id, { Type }]) => `${id} is of a type that this hub does not need: ${Type}; if it does, add it to ${HERE}`,
    ),
    ...missing.map(([type]) => `there is no ${type}: bring it back; if the hub does without, say so in ${HERE}`),
  ];
}
