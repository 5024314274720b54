import { useEffect, useRef, useState } from 'preact/hooks';
import { address, addressOf, filterIn, go, replace } from '../address.ts';
import type { Account } from '../api.ts';
import { CheckBox } from '../parts/form.tsx';
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
      <select
        aria-label={texts.account}
        value={(account && `account=${account}`) || (provider && `provider=${provider}`) || ''}
        onChange={({ currentTarget }) => choose(currentTarget.value)}
      >
        <option value="">{t.allAccounts}</option>
        <optgroup label={t.accounts}>
          {accounts.map((one) => (
            <option key={one.id} value={`account=${one.id}`} selected={one.id === account}>
              {accountName(one)}
            </option>
          ))}
        </optgroup>
        <optgroup label={t.providers}>
          {Object.keys(texts.accounts.providers).map((one) => (
            <option key={one} value={`provider=${one}`}>
              {providerName(one)}
            </option>
          ))}
        </optgroup>
      </select>
      <CheckBox
        label={t.onlyUnread}
        value={unread === 'true'}
        onChange={(isOnly) => change({ unread: isOnly ? 'true' : '' })}
      />
    </div>
  );
}
