import { runtime } from '#lib/aws/runtime.ts';
import { senderHandler } from '#lib/aws/sender-entries.ts';
import * as outbound from '../outbound.ts';

export const handler = senderHandler(Object.values(outbound), runtime());
