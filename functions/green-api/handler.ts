import { reportingWebhookHandler } from '#lib/adapters/reporting-webhook-handler.ts';
import { runtime } from '#lib/adapters/runtime.ts';
import { greenApi } from './provider.ts';

export const handler = reportingWebhookHandler(greenApi, runtime());
