import type { Reach } from '#lib/app/sends/accounts.ts';
import { sendApp } from '#lib/app/sends/send.ts';
import { httpHandler } from './http-handler.ts';
import { allowsPrivateHosts, type Runtime, sendingPorts } from './runtime.ts';

type ReachableProvider = Reach & { readonly name: string };

const FAULT = { status: 500, body: { status: 500, data: {}, message: 'A fault of ours; the message may be queued' } };

/** The Lambda that takes messages in: API Gateway's event in, its answer out. */
export function sendHandler(providers: readonly ReachableProvider[], runtime: Runtime) {
  const reaches = new Map(providers.map((provider) => [provider.name, provider]));
  const rules = { allowPrivateHosts: allowsPrivateHosts(runtime.environment) };
  return httpHandler(sendApp({ ...sendingPorts(runtime), reaches, rules }), FAULT, runtime.log);
}
