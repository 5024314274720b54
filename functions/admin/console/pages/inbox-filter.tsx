import { useEffect, useRef, useState } from 'preact/hooks';
import { address, addressOf, filterIn, go, replace } from '../address.ts';
import type { Account } from '../api.ts';
import { CheckBox, Select } from '../parts/form.tsx';
import { accountName, providerName, texts } from '../texts.ts';

const t = texts.inbox;
const FILTERS = ['q', 'account', 'provider', 'unread'] as const;
type Filter = Readonly<Partial<Record<(typeof FILTERS)[number], string>>>;

/** A conversation beside the list as it is filtered, or the list alone. */
export const inboxAt = (id?: string, more: Filter & { readonly show?: string } = {}): string =>
  addressOf('inbox', id, { ...filterIn(FILTERS), ...more });

/** Not each letter is searched for. */
const REST_MS = 250;

/** What is being typed, which stands in the address once it rests; what the address says otherwise is taken over. */
function useSearch() {
  const { q = '' } = filterIn(FILTERS);
  const [text, write] = useState(q);
  const written = useRef(q);
  useEffect(() => {
    if (q !== written.current) write(q);
    written.current = q;
  }, [q]);
  useEffect(() => {
    const rest = () => {
      const words = text.trim();
      if (words === written.current) return;
      written.current = words;
      replace(inboxAt(address.value.id, { q: words }));
    };
    const timer = setTimeout(rest, text === '' ? 0 : REST_MS);
    return () => clearTimeout(timer);
  }, [text]);
  return { text, write };
}

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
  const { account, provider, unread } = filterIn(FILTERS);
  const { text, write } = useSearch();
  const change = (more: Filter) => go(inboxAt(address.value.id, more));
  const choose = (from: string) => {
    const [name, value = ''] = from.split('=');
    change({ account: name === 'account' ? value : '', provider: name === 'provider' ? value : '' });
  };
  return (
    <div class="filters">
      <input
        type="search"
        aria-label={t.search}
        placeholder={t.search}
        value={text}
        onInput={({ currentTarget }) => write(currentTarget.value)}
      />
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
