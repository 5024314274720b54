import { greenApiOutbound } from '#functions/green-api/outbound.ts';
import { sandboxOutbound } from '#functions/sandbox/outbound.ts';
import { timelinesAiOutbound } from '#functions/timelinesai/outbound.ts';
import { zenderOutbound } from '#functions/zender/outbound.ts';
import type { OutboundProvider } from '#lib/app/sending/outbound.ts';

/** Whoever can send. An account of any other provider is refused with words. */
export const outboundProviders: readonly OutboundProvider[] = [
  greenApiOutbound,
  sandboxOutbound,
  timelinesAiOutbound,
  zenderOutbound,
];
