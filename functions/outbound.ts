/**
 * The providers through which messages are sent: a line each, sorted. Apart from the registry, so that who only sends
 * carries no reader of webhooks.
 */
export { greenApiOutbound as greenApi } from './green-api/outbound.ts';
export { sandboxOutbound as sandbox } from './sandbox/outbound.ts';
export { timelinesAiOutbound as timelinesAi } from './timelinesai/outbound.ts';
export { zenderOutbound as zender } from './zender/outbound.ts';
