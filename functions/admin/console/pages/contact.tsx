import { ArrowLeft } from 'lucide-preact';
import { addressOf } from '../address.ts';
import { type Account, api, asked, type Chat, done, inParts } from '../api.ts';
import { useLive } from '../live.ts';
import { Acts } from '../parts/acts.tsx';
import { loadMedia, loadsMedia } from '../parts/content.tsx';
import { CheckBox } from '../parts/form.tsx';
import { CallBehind } from '../parts/page.tsx';
import { Facts, Id, Phone, Time } from '../parts/small.tsx';
import { tell } from '../parts/toast.tsx';
import { accountName, texts } from '../texts.ts';
import { titleOf } from './thread.tsx';

const t = texts.contact;

interface ContactProps {
  readonly chat: Chat;
  readonly account: Account | undefined;
}

/** Who is on the other side, and what the hub knows of them. */
export function Contact({ chat, account }: ContactProps) {
  const { id, providerChatId, aliases = [], kind, createdAt, lastAt } = chat;
  const phone = chat.phone ?? /^\+\d{7,15}$/.exec(providerChatId)?.[0];
  const live = useLive(`muted ${id}`, () => asked(api.GET('/api/rules/muted')), { isSlow: true });
  const muted = live.data?.items.find(({ chatId }) => chatId === id);
  const unmute = () => done(api.DELETE('/api/rules/muted', { params: { query: { chat: id } } }));
  return (
    <aside class="contact" aria-label={t.title}>
      <header>
        <a class="back" href={addressOf('inbox', id)} aria-label={t.back}>
          <ArrowLeft aria-hidden="true" />
        </a>
        <h2 dir="auto">{titleOf(chat)}</h2>
      </header>
      <Facts
        of={[
          phone !== undefined && [t.phone, <Phone key="phone" number={phone} />],
          [t.kind, t.kinds[kind] ?? kind],
          [
            t.account,
            account ? (
              <a key="account" href={addressOf('accounts', account.id)}>
                {accountName(account)}
              </a>
            ) : (
              chat.provider
            ),
          ],
          [t.first, <Time key="first" at={createdAt} />],
          [t.last, <Time key="last" at={lastAt} />],
          [t.ids, [id, providerChatId, ...aliases].map((one) => <Id key={one} id={one} />)],
        ]}
      />
      {muted && (
        <section class="card">
          <p>{t.muted}</p>
          <p class="faint">
            {t.until} <Time at={muted.until} />
          </p>
          <div class="actions">
            <Acts acts={[{ label: t.unmute, run: unmute, said: t.unmuted }]} onDone={live.again} />
          </div>
        </section>
      )}
      <div>
        <CheckBox label={texts.inbox.loadMedia} value={loadsMedia.value} onChange={loadMedia} />
        <small class="faint">{texts.inbox.loadMediaHint}</small>
      </div>
      <p class="actions">
        <a href={addressOf('sends', undefined, { chat: id })}>{t.sends}</a>
      </p>
      {phone !== undefined && (
        <div class="actions">
          <Acts
            acts={[
              {
                label: t.erase,
                run: () => erase(phone),
                asks: t.eraseText(titleOf(chat), phone),
                look: 'danger',
                leadsTo: addressOf('inbox'),
              },
            ]}
          />
        </div>
      )}
      <CallBehind call="GET /api/chats/{id}" />
    </aside>
  );
}

async function erase(phone: string): Promise<void> {
  const answers = await inParts((query) =>
    asked(api.DELETE('/api/contacts/{phone}', { params: { path: { phone }, query } })),
  );
  const last = answers.at(-1);
  if (last) tell(t.erased(last.erased, last.left.length));
}
