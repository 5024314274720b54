import type { Provider } from '#lib/tenants/provider.ts';
import { greenApiAccount } from './account.ts';
import { greenApi as receiving } from './provider.ts';

export const provider: Provider = { account: greenApiAccount, receiving };
