import type { ReceivingPorts } from '#lib/app/receiving/keep.ts';
import type { ReceivingProvider } from '#lib/app/receiving/provider.ts';
import { receiver } from '#lib/app/receiving/receive.ts';
import { sendReports } from '#lib/app/sends/reports.ts';
import { problemBody, tokenApp } from '#lib/http/app.ts';
import { lambdaOf } from './lambda-app.ts';
import { type Runtime, receivingPorts, sendingPorts } from './runtime.ts';

const NOT_STORED = { status: 503, body: problemBody(503, 'Not stored; please send it again') };

/** A provider waits for its answer meanwhile: what takes longer goes through the fallback queue. */
const REPORT_MS = 1_500;

/** The Lambda of a provider from which we only receive. */
export function webhookHandler(
  provider: ReceivingProvider,
  runtime: Runtime,
  ports: ReceivingPorts = receivingPorts(runtime),
) {
  return lambdaOf(tokenApp(`/hooks/${provider.name}`, receiver(provider, ports), NOT_STORED, runtime.log));
}

/** The Lambda of a provider through which we send as well: what it reports moves our sends on. */
export function reportingWebhookHandler(provider: ReceivingProvider, runtime: Runtime) {
  const { config, ...ports } = sendingPorts(runtime);
  const sends = sendReports(ports, { ...config, requestMs: REPORT_MS });
  return webhookHandler(provider, runtime, { ...receivingPorts(runtime), sends });
}
