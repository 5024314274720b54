import { runtime } from '#lib/adapters/runtime.ts';
import { sendHandler } from '#lib/adapters/send-handler.ts';
import { outboundProviders } from '../providers.ts';

export const handler = sendHandler(outboundProviders, runtime());
