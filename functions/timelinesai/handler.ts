import { reportingWebhookHandler } from '#lib/aws/http-entries.ts';
import { runtime } from '#lib/aws/runtime.ts';
import { timelinesAi } from './provider.ts';

export const handler = reportingWebhookHandler(timelinesAi, runtime());
