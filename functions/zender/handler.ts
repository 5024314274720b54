import { runtime } from '#lib/adapters/runtime.ts';
import { reportingWebhookHandler } from '#lib/adapters/webhook-handler.ts';
import { zender } from './provider.ts';

export const handler = reportingWebhookHandler(zender, runtime());
