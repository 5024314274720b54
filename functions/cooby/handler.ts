import { webhookHandler } from '#lib/aws/http-entries.ts';
import { runtime } from '#lib/aws/runtime.ts';
import { cooby } from './provider.ts';

export const handler = webhookHandler(cooby, runtime());
