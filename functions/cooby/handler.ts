import { runtime } from '#lib/adapters/runtime.ts';
import { webhookHandler } from '#lib/adapters/webhook-handler.ts';
import { cooby } from './provider.ts';

export const handler = webhookHandler(cooby, runtime());
