import { runtime } from '#lib/adapters/runtime.ts';
import { webhookHandler } from '#lib/adapters/webhook-handler.ts';
import { greenApi } from './provider.ts';

export const handler = webhookHandler(greenApi, runtime());
