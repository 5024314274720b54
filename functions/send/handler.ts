import { runtime } from '#lib/adapters/runtime.ts';
import { sendHandler } from '#lib/adapters/send-handler.ts';
import { outboundProviders } from './registry.ts';

export const handler = sendHandler(outboundProviders, runtime());
