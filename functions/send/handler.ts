import { sendHandler } from '#lib/aws/http-entries.ts';
import { runtime } from '#lib/aws/runtime.ts';
import * as outbound from '../outbound.ts';

export const handler = sendHandler(Object.values(outbound), runtime());
