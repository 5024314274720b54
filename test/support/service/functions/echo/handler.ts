import { setTimeout as sleep } from 'node:timers/promises';
import type { APIGatewayProxyEventV2, Context } from 'aws-lambda';
import { callAws } from '#infra/local/engines/local-aws.ts';

/** Answers with what it was given, unless a header asks for something else. */
export async function handler(event: APIGatewayProxyEventV2, context: Context): Promise<unknown> {
  const { 'x-wait': wait, 'x-fail': fail, 'x-answer': answer, 'x-aws': aws } = event.headers;
  if (fail) throw new Error(fail);
  if (wait) await sleep(Number(wait));
  if (answer) return JSON.parse(answer);
  if (aws) return passOn(aws, event.body ?? '');
  const remaining = context.getRemainingTimeInMillis();
  return { statusCode: 200, body: JSON.stringify({ event, remaining, table: process.env.HOOKLINE_TABLE }) };
}

/** Calls an engine as functions do, by the addresses and names in the environment. */
async function passOn(target: string, body: string): Promise<unknown> {
  const service = { DynamoDB: 'DYNAMODB', AmazonSQS: 'SQS', AmazonSSM: 'SSM' }[target.split(/[._]/)[0] ?? ''];
  const input = body.replaceAll(/\$(\w+)/g, (_, name: string) => process.env[name] ?? '');
  return callAws(process.env[`AWS_ENDPOINT_URL_${service}`] ?? '', target, JSON.parse(input));
}
