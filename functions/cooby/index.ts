import type { Provider } from '#lib/tenants/provider.ts';
import { coobyAccount } from './account.ts';
import { cooby as receiving } from './provider.ts';

export const provider: Provider = { account: coobyAccount, receiving };
