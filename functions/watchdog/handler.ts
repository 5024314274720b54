import { runtime } from '#lib/aws/runtime.ts';
import { watchdogHandler } from '#lib/aws/sender-entries.ts';
import * as outbound from '../outbound.ts';

export const handler = watchdogHandler(Object.values(outbound), runtime());
