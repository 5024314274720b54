import { coobyAccount } from '../cooby/account.ts';
import { cooby } from '../cooby/provider.ts';
import { greenApiAccount } from '../green-api/account.ts';
import { greenApi } from '../green-api/provider.ts';
import { sandboxAccount } from '../sandbox/account.ts';
import { sandbox } from '../sandbox/provider.ts';
import { timelinesAiAccount } from '../timelinesai/account.ts';
import { timelinesAi } from '../timelinesai/provider.ts';
import { zenderAccount } from '../zender/account.ts';
import { zender } from '../zender/provider.ts';
import type { Provider } from './ports.ts';

/** Every provider of this hub, by name. */
export const providers: readonly Provider[] = [
  { account: coobyAccount, receiving: cooby },
  { account: greenApiAccount, receiving: greenApi },
  { account: sandboxAccount, receiving: sandbox },
  { account: timelinesAiAccount, receiving: timelinesAi },
  { account: zenderAccount, receiving: zender },
];
