import { runtime } from '#lib/adapters/runtime.ts';
import { reportingWebhookHandler } from '#lib/adapters/webhook-handler.ts';
import { greenApi } from './provider.ts';

export const handler = reportingWebhookHandler(greenApi, runtime());
