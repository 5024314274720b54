import { runtime } from '#lib/adapters/runtime.ts';
import { webhookHandler } from '#lib/adapters/webhook-handler.ts';
import { sandbox } from './provider.ts';

export const handler = webhookHandler(sandbox, runtime());
