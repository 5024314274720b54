import { coobyAccount } from '../cooby/account.ts';
import { greenApiAccount } from '../green-api/account.ts';
import { sandboxAccount } from '../sandbox/account.ts';
import { timelinesAiAccount } from '../timelinesai/account.ts';
import { zenderAccount } from '../zender/account.ts';
import type { Provider } from './ports.ts';

/** Every provider of this hub, by name. */
export const providers: readonly Provider[] = [
  { account: coobyAccount, receiving: async () => (await import('../cooby/provider.ts')).cooby },
  { account: greenApiAccount, receiving: async () => (await import('../green-api/provider.ts')).greenApi },
  { account: sandboxAccount, receiving: async () => (await import('../sandbox/provider.ts')).sandbox },
  { account: timelinesAiAccount, receiving: async () => (await import('../timelinesai/provider.ts')).timelinesAi },
  { account: zenderAccount, receiving: async () => (await import('../zender/provider.ts')).zender },
];
