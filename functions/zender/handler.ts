import { webhookHandler } from '#lib/aws/http-entries.ts';
import { runtime } from '#lib/aws/runtime.ts';
import { zender } from './provider.ts';

export const handler = webhookHandler(zender, runtime());
