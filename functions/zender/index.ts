import type { Provider } from '#lib/tenants/provider.ts';
import { zenderAccount } from './account.ts';
import { zender as receiving } from './provider.ts';

export const provider: Provider = { account: zenderAccount, receiving };
