import { reportingWebhookHandler } from '#lib/aws/http-entries.ts';
import { runtime } from '#lib/aws/runtime.ts';
import { greenApi } from './provider.ts';

export const handler = reportingWebhookHandler(greenApi, runtime());
