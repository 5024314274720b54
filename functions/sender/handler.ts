import { runtime } from '#lib/adapters/runtime.ts';
import { senderHandler } from '#lib/adapters/sender-handler.ts';
import { outboundProviders } from '../providers.ts';

export const handler = senderHandler(outboundProviders, runtime());
