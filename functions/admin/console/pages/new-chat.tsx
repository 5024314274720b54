import { ArrowLeft } from 'lucide-preact';
import { useState } from 'preact/hooks';
import { addressOf, go } from '../address.ts';
import { type Account, api, asked } from '../api.ts';
import { TextField } from '../parts/form.tsx';
import { CallBehind } from '../parts/page.tsx';
import { Select } from '../parts/select.tsx';
import { accountName, texts } from '../texts.ts';
import { Composer } from './composer.tsx';
import { inboxAt } from './inbox-filter.tsx';

const t = texts.inbox;

interface NewChatProps {
  readonly accounts: readonly Account[];
  readonly hasNoAccount: boolean;
}

/** Begins a conversation with somebody who has not written. */
export function NewChat({ accounts, hasNoAccount }: NewChatProps) {
  const [phone, setPhone] = useState('');
  const [chosen, choose] = useState('');
  // Which one the hub takes is known where there is one alone.
  const account = accounts.length === 1 ? accounts[0] : accounts.find(({ id }) => id === chosen);
  const to = phone.trim() === '' ? undefined : { phone: phone.trim(), ...(chosen && { account_id: chosen }) };
  const open = async (messageId: string) => {
    const { recipient } = await asked(api.GET('/api/sends/{messageId}', { params: { path: { messageId } } }));
    go(recipient.chatId ? addressOf('inbox', recipient.chatId) : addressOf('sends', messageId));
  };
  return (
    <section class="thread" aria-label={t.begin}>
      <header>
        <a class="back" href={inboxAt()} aria-label={t.back}>
          <ArrowLeft aria-hidden="true" />
        </a>
        <h1>{t.begin}</h1>
      </header>
      <div class="scroller form">
        <TextField name="phone" label={t.to} hint={t.toHint} value={phone} onInput={setPhone} />
        <Select
          label={t.from}
          hint={t.fromHint}
          value={chosen}
          options={[
            ['', t.fromDefault],
            ...accounts.map((one) => [one.id, `${accountName(one)} (${one.channel})`] as const),
          ]}
          onChange={choose}
        />
        <CallBehind call="POST /api/sends" />
      </div>
      <Composer draft="new" to={to} account={account} hasNoAccount={hasNoAccount} onSent={open} />
    </section>
  );
}
