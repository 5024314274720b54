import type { ReceivingProvider } from '#lib/app/receiving/provider.ts';
import { receiver } from '#lib/app/receiving/receive.ts';
import { httpHandler } from './http-handler.ts';
import { type Runtime, receivingPorts } from './runtime.ts';

const NOT_STORED = { status: 503, body: { status: 503, data: {}, message: 'Not stored; please send it again' } };

/** The Lambda of a provider: API Gateway's event in, its answer out. */
export function webhookHandler(provider: ReceivingProvider, runtime: Runtime) {
  return httpHandler(receiver(provider, receivingPorts(runtime)), NOT_STORED, runtime.log);
}
