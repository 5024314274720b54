import { setTimeout as sleep } from 'node:timers/promises';
import type { APIGatewayProxyEventV2, Context } from 'aws-lambda';

/** Answers with what it was given, unless a header asks for something else. */
export async function handler(event: APIGatewayProxyEventV2, context: Context): Promise<unknown> {
  const { 'x-wait': wait, 'x-fail': fail, 'x-answer': answer } = event.headers;
  if (fail) throw new Error(fail);
  if (wait) await sleep(Number(wait));
  if (answer) return JSON.parse(answer);
  const remaining = context.getRemainingTimeInMillis();
  return { statusCode: 200, body: JSON.stringify({ event, remaining, table: process.env.HOOKLINE_TABLE }) };
}
