import type { Provider } from '#lib/tenants/provider.ts';
import { sandboxAccount } from './account.ts';
import { sandbox as receiving } from './provider.ts';

export const provider: Provider = { account: sandboxAccount, receiving };
