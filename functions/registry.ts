/** The one list of providers: a line each, sorted. */
export { provider as cooby } from './cooby/index.ts';
export { provider as greenApi } from './green-api/index.ts';
export { provider as sandbox } from './sandbox/index.ts';
export { provider as timelinesAi } from './timelinesai/index.ts';
export { provider as zender } from './zender/index.ts';
