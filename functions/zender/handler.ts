import { runtime } from '#lib/adapters/runtime.ts';
import { webhookHandler } from '#lib/adapters/webhook-handler.ts';
import { zender } from './provider.ts';

export const handler = webhookHandler(zender, runtime());
