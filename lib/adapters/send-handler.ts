import type { Reaches } from '#lib/app/sends/accounts.ts';
import { sendApp } from '#lib/app/sends/send.ts';
import { httpHandler } from './http-handler.ts';
import { type Runtime, sendingPorts } from './runtime.ts';

const FAULT = { status: 500, body: { status: 500, data: {}, message: 'A fault of ours; the message may be queued' } };

/** The Lambda that takes messages in: API Gateway's event in, its answer out. */
export function sendHandler(reaches: Reaches, runtime: Runtime) {
  const rules = { allowPrivateHosts: runtime.environment.HOOKLINE_ALLOW_PRIVATE_HOSTS === '1' };
  return httpHandler(sendApp({ ...sendingPorts(runtime), reaches, rules }), FAULT, runtime.log);
}
