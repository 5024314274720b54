import type { ReceivingProvider } from '#lib/app/receiving/provider.ts';
import type { SendReports } from '#lib/app/sends/reports.ts';
import { lazily } from '#lib/domain/lazily.ts';
import { type Runtime, receivingPorts, sendingPorts } from './runtime.ts';
import { webhookHandler } from './webhook-handler.ts';

/** A provider waits for its answer meanwhile: what takes longer goes through the fallback queue. */
const PATIENCE_MS = 1_500;

/** The Lambda of a provider through which we send as well: what it reports moves our sends on. */
export function reportingWebhookHandler(provider: ReceivingProvider, runtime: Runtime) {
  const { config, ...ports } = sendingPorts(runtime);
  const sends = reports(async () => {
    const { sendReports } = await import('#lib/app/sends/reports.ts');
    return sendReports(ports, { ...config, requestMs: PATIENCE_MS });
  });
  return webhookHandler(provider, runtime, { ...receivingPorts(runtime), sends });
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
