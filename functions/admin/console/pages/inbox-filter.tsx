import { address, addressOf, filterIn, go } from '../address.ts';
import type { Account } from '../api.ts';
import { CheckBox, Search, Select } from '../parts/form.tsx';
import { accountName, providerName, texts } from '../texts.ts';

const t = texts.inbox;
const FILTERS = ['q', 'account', 'provider', 'unread'] as const;
type Filter = Readonly<Partial<Record<(typeof FILTERS)[number], string>>>;

/** A conversation beside the list as it is filtered, or the list alone. */
export const inboxAt = (id?: string, more: Filter & { readonly show?: string } = {}): string =>
  addressOf('inbox', id, { ...filterIn(FILTERS), ...more });

/** As the API takes it. */
export function inboxFilter() {
  const { q, account, provider, unread } = filterIn(FILTERS);
  return {
    ...(q && { q }),
    ...(account && { account }),
    ...(provider && { provider }),
    ...(unread === 'true' && { unread: 'true' as const }),
  };
}

export function Filters({ accounts }: { readonly accounts: readonly Account[] }) {
  const { q, account, provider, unread } = filterIn(FILTERS);
  const change = (more: Filter) => go(inboxAt(address.value.id, more));
  const choose = (from: string) => {
    const [name, value = ''] = from.split('=');
    change({ account: name === 'account' ? value : '', provider: name === 'provider' ? value : '' });
  };
  return (
    <div class="filters">
      <Search label={t.search} value={q} onChange={(words) => change({ q: words })} />
      <Select
        label={texts.account}
        isBare
        value={(account && `account=${account}`) || (provider && `provider=${provider}`) || ''}
        options={[
          ['', t.allAccounts],
          ...accounts.map((one) => [`account=${one.id}`, accountName(one)] as const),
          ...Object.keys(texts.accounts.providers).map(
            (one) => [`provider=${one}`, t.allOf(providerName(one))] as const,
          ),
        ]}
        onChange={choose}
      />
      <CheckBox
        label={t.onlyUnread}
        value={unread === 'true'}
        onChange={(isOnly) => change({ unread: isOnly ? 'true' : '' })}
      />
    </div>
  );
}
