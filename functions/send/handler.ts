import { sendHandler } from '#lib/aws/http-entries.ts';
import { runtime } from '#lib/aws/runtime.ts';
import { outboundProviders } from '../providers.ts';

export const handler = sendHandler(outboundProviders, runtime());
