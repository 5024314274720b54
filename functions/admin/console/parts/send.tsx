import { addressOf } from '../address.ts';
import { type Account, api, asked, type Send } from '../api.ts';
import { useLive } from '../live.ts';
import { accountName, reasonOf, texts } from '../texts.ts';
import { type Act, Acts } from './acts.tsx';
import { Card } from './form.tsx';
import { Loaded } from './page.tsx';
import { Badge, Time } from './small.tsx';
import { tell } from './toast.tsx';

const t = texts.queue;
/** More marks than this run into each other. */
const MOST = 40;
const WIDTH = 600;

/** When the next one may leave, and after which time each other one does, in milliseconds. */
export function leavingFrom({ nextSendAt, backoffUntil, pacing }: Account, now: number) {
  const free = [nextSendAt, backoffUntil].map((at) => (at === undefined ? 0 : Date.parse(at)));
  return { first: Math.max(now, ...free), gap: (pacing.minMs + pacing.maxMs) / 2 };
}

/** What waits in an account's queue, at the pace at which it leaves. */
export function Queue({ account: id }: { readonly account: string }) {
  const live = useLive(`queue ${id}`, () => asked(api.GET('/api/accounts/{id}', { params: { path: { id } } })));
  return (
    <Card title={t.title}>
      <Loaded live={live}>
        {(account) => (
          <>
            <Drawn account={account} />
            {account.pending > 0 && (
              <div class="actions">
                <Acts isSmall acts={[cancelAll(account)]} onDone={live.again} />
              </div>
            )}
          </>
        )}
      </Loaded>
    </Card>
  );
}

function Drawn({ account }: { readonly account: Account }) {
  const { id, pending, pacing, paused, held, pauseReason, holdReason } = account;
  const stands = held || paused;
  const now = Date.now();
  const { first, gap } = leavingFrom(account, now);
  const last = first + Math.max(0, pending - 1) * gap;
  return (
    <>
      <p>
        <a href={addressOf('accounts', id)}>{accountName(account)}</a>{' '}
        {stands && <Badge state={held ? 'held' : 'paused'} />} {t.waiting(pending)}{' '}
        {t.pace(pacing.minMs / 1000, pacing.maxMs / 1000)}{' '}
        {!stands && pending > 0 && (
          <>
            {t.last} <Time at={new Date(last).toISOString()} />
          </>
        )}
        {stands && t.stands(holdReason ? reasonOf(holdReason) : (pauseReason ?? texts.none))}
      </p>
      {pending > 0 && <Marks count={Math.min(pending, MOST)} first={first - now} gap={gap} isStanding={stands} />}
    </>
  );
}

interface MarksProps {
  readonly count: number;
  /** Until the first one leaves, in milliseconds. */
  readonly first: number;
  readonly gap: number;
  readonly isStanding: boolean;
}

/** One mark for each that waits, from now on to the right. */
function Marks({ count, first, gap, isStanding }: MarksProps) {
  const span = Math.max(1, first + (count - 1) * gap);
  const xs = Array.from({ length: count }, (_, index) => 8 + ((first + index * gap) / span) * (WIDTH - 16));
  return (
    <svg
      class={`queue ${isStanding ? 'standing' : ''}`}
      viewBox={`0 0 ${WIDTH} 24`}
      role="img"
      aria-label={t.drawn(count)}
    >
      <line x1="8" y1="12" x2={WIDTH - 8} y2="12" />
      {xs.map((x) => (
        <circle key={x} cx={x} cy="12" r="5" />
      ))}
    </svg>
  );
}

/** Takes all that waits out of the queue of an account; one call does what fits into its time. */
export const cancelAll = (account: Account): Act | false =>
  account.pending > 0 && {
    label: texts.accounts.cancel,
    asks: texts.accounts.cancelText(accountName(account), account.pending),
    look: 'danger',
    run: async (say) => {
      let count = 0;
      for (let hasMore = true; hasMore; say(texts.accounts.cancelledSoFar(count))) {
        const { cancelled, more } = await asked(
          api.POST('/api/accounts/{id}/cancel', { params: { path: { id: account.id } } }),
        );
        count += cancelled;
        hasMore = more;
      }
      tell(texts.accounts.cancelledSaid(count));
    },
  };

interface SendActionsProps {
  readonly send: Send;
  readonly state: Send['parts'][number]['state'];
  readonly onChange: () => Promise<unknown>;
}

/** Takes back what waits, and sends again what did not go out. */
export function SendActions({ send, state, onChange }: SendActionsProps) {
  const path = { params: { path: { messageId: send.messageId } } };
  const canRepeat = !send.resentAs && ['unknown', 'expired', 'failed'].includes(state);
  return (
    <>
      {send.resentAs && (
        <a class="faint" href={addressOf('sends', send.resentAs)}>
          {texts.inbox.resent}
        </a>
      )}
      <Acts
        isSmall
        onDone={onChange}
        acts={[
          state === 'queued' && {
            label: texts.cancel,
            run: () => asked(api.POST('/api/sends/{messageId}/cancel', path)),
            said: texts.inbox.cancelled,
          },
          canRepeat && {
            label: texts.inbox.again,
            ...(state === 'unknown' && { asks: texts.inbox.againAsks }),
            run: () => asked(api.POST('/api/sends/{messageId}/resend', path)),
          },
        ]}
      />
    </>
  );
}
