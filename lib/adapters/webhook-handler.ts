import type { ReceivingPorts } from '#lib/app/receiving/keep.ts';
import type { ReceivingProvider } from '#lib/app/receiving/provider.ts';
import { receiver } from '#lib/app/receiving/receive.ts';
import type { SendReports } from '#lib/app/sends/reports.ts';
import { lazily } from '#lib/domain/lazily.ts';
import { httpHandler } from './http-handler.ts';
import { type Runtime, receivingPorts, sendingPorts } from './runtime.ts';

const NOT_STORED = { status: 503, body: { status: 503, data: {}, message: 'Not stored; please send it again' } };
/** A provider waits for its answer meanwhile: what takes longer goes through the fallback queue. */
const PATIENCE_MS = 1_500;

/** The Lambda of a provider from which we only receive: API Gateway's event in, its answer out. */
export function webhookHandler(provider: ReceivingProvider, runtime: Runtime) {
  return handlerWith(provider, runtime, receivingPorts(runtime));
}

/** The Lambda of a provider through which we send as well: what it reports moves our sends on. */
export function reportingWebhookHandler(provider: ReceivingProvider, runtime: Runtime) {
  const { config, ...ports } = sendingPorts(runtime);
  const sends = reports(async () => {
    const { sendReports } = await import('#lib/app/sends/reports.ts');
    return sendReports(ports, { ...config, requestMs: PATIENCE_MS });
  });
  return handlerWith(provider, runtime, { ...receivingPorts(runtime), sends });
}

function handlerWith(provider: ReceivingProvider, { log }: Runtime, ports: ReceivingPorts) {
  return httpHandler(receiver(provider, ports), NOT_STORED, log);
}

/** What people write to the hub tells nothing of a send, and need not wait for what follows from one. */
function reports(load: () => Promise<SendReports>): SendReports {
  const loaded = lazily(load);
  return {
    status: async (...report) => (await loaded()).status(...report),
    outbound: async (...report) => (await loaded()).outbound(...report),
    connection: async (...report) => (await loaded()).connection(...report),
  };
}
