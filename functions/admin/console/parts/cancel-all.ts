import { type Account, api, asked } from '../api.ts';
import { accountName, texts } from '../texts.ts';
import type { Act } from './acts.tsx';
import { tell } from './toast.tsx';

const t = texts.accounts;

/** Takes all that waits out of the queue of an account; one call does what fits into its time. */
export const cancelAll = (account: Account): Act | false =>
  account.pending > 0 && {
    label: t.cancel,
    asks: t.cancelText(accountName(account), account.pending),
    look: 'danger',
    run: async (say) => {
      let count = 0;
      for (let hasMore = true; hasMore; say(t.cancelledSoFar(count))) {
        const { cancelled, more } = await asked(
          api.POST('/api/accounts/{id}/cancel', { params: { path: { id: account.id } } }),
        );
        count += cancelled;
        hasMore = more;
      }
      tell(t.cancelledSaid(count));
    },
  };
