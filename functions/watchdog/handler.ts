import { runtime } from '#lib/adapters/runtime.ts';
import { watchdogHandler } from '#lib/adapters/watchdog-handler.ts';
import { outboundProviders } from '../providers.ts';

export const handler = watchdogHandler(outboundProviders, runtime());
