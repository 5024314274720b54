import { ArrowLeft } from 'lucide-preact';
import { addressOf } from '../address.ts';
import { type Account, accountOf, api, asked, type Chat, done, inParts } from '../api.ts';
import { useLive } from '../live.ts';
import { Acts } from '../parts/acts.tsx';
import { MediaSetting } from '../parts/content.tsx';
import { CallBehind, Loaded } from '../parts/page.tsx';
import { Facts, Id, Phone, Time, UnreadDot } from '../parts/small.tsx';
import { tell } from '../parts/toast.tsx';
import { accountName, providerName, texts } from '../texts.ts';
import { inboxAt } from './inbox-filter.tsx';
import { titleOf } from './thread.tsx';

const t = texts.contact;

interface ContactProps {
  readonly chat: Chat;
  readonly account: Account | undefined;
  readonly accounts: readonly Account[];
}

/** Who is on the other side, and what the hub knows of them. */
export function Contact({ chat, account, accounts }: ContactProps) {
  const { id, providerChatId, aliases = [], kind, createdAt, lastAt } = chat;
  const phone = chat.phone ?? /^\+\d{7,15}$/.exec(providerChatId)?.[0];
  const live = useLive(
    `contact ${id}`,
    async () => {
      const [muted, others] = await Promise.all([asked(api.GET('/api/rules/muted')), elsewhere(chat, phone)]);
      return { muted: muted.items.find(({ chatId }) => chatId === id), others };
    },
    { isSlow: true },
  );
  const unmute = () => done(api.DELETE('/api/rules/muted', { params: { query: { chat: id } } }));
  return (
    <aside class="contact" aria-label={t.title}>
      <header>
        <a class="back" href={inboxAt(id)} aria-label={t.back}>
          <ArrowLeft aria-hidden="true" />
        </a>
        <h2 dir="auto">{titleOf(chat)}</h2>
      </header>
      <Facts
        of={[
          phone !== undefined && [texts.phone, <Phone key="phone" number={phone} />],
          [texts.kind, t.kinds[kind] ?? kind],
          [
            texts.account,
            account ? (
              <a key="account" href={addressOf('accounts', account.id)}>
                {accountName(account)}
              </a>
            ) : (
              providerName(chat.provider)
            ),
          ],
          [t.first, <Time key="first" at={createdAt} />],
          [t.last, <Time key="last" at={lastAt} />],
          [t.ids, [id, providerChatId, ...aliases].map((one) => <Id key={one} id={one} />)],
        ]}
      />
      <Loaded live={live}>
        {({ muted, others }) => (
          <>
            <Elsewhere chats={others} accounts={accounts} />
            {muted && (
              <section class="card">
                <p>{t.muted}</p>
                <p class="faint">
                  {t.why} {muted.why}; <a href={addressOf('rules', muted.rule)}>{t.whichRule}</a>
                </p>
                <p class="faint">
                  {texts.till} <Time at={muted.until} />
                </p>
                <div class="actions">
                  <Acts acts={[{ label: texts.unmute, run: unmute, said: t.unmuted }]} onDone={live.again} />
                </div>
              </section>
            )}
            <MediaSetting />
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
          </>
        )}
      </Loaded>
    </aside>
  );
}

/** The other chats with the same person or group. An id of a provider alone, as a short code, may be somebody else's elsewhere. */
async function elsewhere({ id, providerChatId: jid }: Chat, phone: string | undefined): Promise<readonly Chat[]> {
  if (phone === undefined && !jid.includes('@')) return [];
  const query = { ...(phone === undefined ? { jid } : { phone }), brief: 'true' as const, limit: 200 };
  return (await asked(api.GET('/api/chats', { params: { query } }))).items.filter((one) => one.id !== id);
}

function Elsewhere({ chats, accounts }: { readonly chats: readonly Chat[]; readonly accounts: readonly Account[] }) {
  if (chats.length === 0) return null;
  return (
    <section>
      <h3 class="faint">{t.elsewhere}</h3>
      <ul class="stack tight lines">
        {chats.map((chat) => {
          const account = accountOf(chat, accounts);
          return (
            <li key={chat.id}>
              <a class={chat.unread ? 'unread' : undefined} href={addressOf('inbox', chat.id)}>
                {accountName(account ?? { provider: chat.provider })}
                {account?.channel === 'sms' && ` · ${texts.channels.sms}`}
                {chat.unread && <UnreadDot />}
              </a>
              <Time at={chat.lastAt} />
            </li>
          );
        })}
      </ul>
    </section>
  );
}

async function erase(phone: string): Promise<void> {
  const answers = await inParts((query) =>
    asked(api.DELETE('/api/contacts/{phone}', { params: { path: { phone }, query } })),
  );
  const last = answers.at(-1);
  if (last) tell(t.erased(last.erased, last.left));
}
