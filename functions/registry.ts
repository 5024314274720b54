/** The one list of providers: a line each, sorted. */
export { provider as cooby } from './cooby/provider.ts';
export { provider as greenApi } from './green-api/provider.ts';
export { provider as sandbox } from './sandbox/provider.ts';
export { provider as timelinesAi } from './timelinesai/provider.ts';
export { provider as zender } from './zender/provider.ts';
