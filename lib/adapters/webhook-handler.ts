import type { ReceivingPorts } from '#lib/app/receiving/keep.ts';
import type { ReceivingProvider } from '#lib/app/receiving/provider.ts';
import { receiver } from '#lib/app/receiving/receive.ts';
import { httpHandler } from './http-handler.ts';
import { type Runtime, receivingPorts } from './runtime.ts';

const NOT_STORED = { status: 503, body: { status: 503, data: {}, message: 'Not stored; please send it again' } };

/** The Lambda of a provider from which we only receive: API Gateway's event in, its answer out. */
export function webhookHandler(
  provider: ReceivingProvider,
  runtime: Runtime,
  ports: ReceivingPorts = receivingPorts(runtime),
) {
  return httpHandler(receiver(provider, ports), NOT_STORED, runtime.log);
}
