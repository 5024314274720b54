import type { Reach } from '#lib/app/sends/accounts.ts';
import { sendApp } from '#lib/app/sends/send.ts';
import { problemBody, tokenApp } from '#lib/http/app.ts';
import { lambdaOf } from './lambda-app.ts';
import { allowsPrivateHosts, type Runtime, sendingPorts } from './runtime.ts';

type ReachableProvider = Reach & { readonly name: string };

const FAULT = { status: 500, body: problemBody(500, 'A fault of ours; the message may be queued') };

/** The Lambda that takes messages in. */
export function sendHandler(providers: readonly ReachableProvider[], runtime: Runtime) {
  const reaches = new Map(providers.map((provider) => [provider.name, provider]));
  const rules = { allowPrivateHosts: allowsPrivateHosts(runtime.environment) };
  return lambdaOf(tokenApp('/send', sendApp({ ...sendingPorts(runtime), reaches, rules }), FAULT, runtime.log));
}
