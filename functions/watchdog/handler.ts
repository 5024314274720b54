import { runtime } from '#lib/adapters/runtime.ts';
import { watchdogHandler } from '#lib/adapters/watchdog-handler.ts';
import { outboundProviders } from './registry.ts';

export const handler = watchdogHandler(outboundProviders, runtime());
