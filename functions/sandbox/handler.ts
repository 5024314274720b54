import { reportingWebhookHandler } from '#lib/aws/http-entries.ts';
import { runtime } from '#lib/aws/runtime.ts';
import { sandbox } from './provider.ts';

export const handler = reportingWebhookHandler(sandbox, runtime());
