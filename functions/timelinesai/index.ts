import type { Provider } from '#lib/tenants/provider.ts';
import { timelinesAiAccount } from './account.ts';
import { timelinesAi as receiving } from './provider.ts';

export const provider: Provider = { account: timelinesAiAccount, receiving };
