import type { Provider } from '#lib/tenants/provider.ts';
import { sandboxAccount } from './account.ts';
import { sandboxOutbound } from './outbound.ts';
import { sandbox as receiving } from './provider.ts';

export const provider: Provider = { account: sandboxAccount, receiving, outbound: sandboxOutbound };
