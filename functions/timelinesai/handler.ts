import { reportingWebhookHandler } from '#lib/adapters/reporting-webhook-handler.ts';
import { runtime } from '#lib/adapters/runtime.ts';
import { timelinesAi } from './provider.ts';

export const handler = reportingWebhookHandler(timelinesAi, runtime());
