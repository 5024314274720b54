import { runtime } from '#lib/aws/runtime.ts';
import { senderHandler } from '#lib/aws/sender-entries.ts';
import { outboundProviders } from '../providers.ts';

export const handler = senderHandler(outboundProviders, runtime());
