import { runtime } from '#lib/aws/runtime.ts';
import { watchdogHandler } from '#lib/aws/sender-entries.ts';
import { outboundProviders } from '../providers.ts';

export const handler = watchdogHandler(outboundProviders, runtime());
