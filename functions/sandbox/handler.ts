import { runtime } from '#lib/adapters/runtime.ts';
import { reportingWebhookHandler } from '#lib/adapters/webhook-handler.ts';
import { sandbox } from './provider.ts';

export const handler = reportingWebhookHandler(sandbox, runtime());
