import { reportingWebhookHandler } from '#lib/adapters/reporting-webhook-handler.ts';
import { runtime } from '#lib/adapters/runtime.ts';
import { sandbox } from './provider.ts';

export const handler = reportingWebhookHandler(sandbox, runtime());
