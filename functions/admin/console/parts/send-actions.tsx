import { addressOf } from '../address.ts';
import { api, asked, type Send } from '../api.ts';
import { texts } from '../texts.ts';
import { Acts } from './acts.tsx';

const t = texts.inbox;

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
          {t.resent}
        </a>
      )}
      <Acts
        isSmall
        onDone={onChange}
        acts={[
          state === 'queued' && {
            label: t.cancelSend,
            run: () => asked(api.POST('/api/sends/{messageId}/cancel', path)),
            said: t.cancelled,
          },
          canRepeat && {
            label: t.again,
            ...(state === 'unknown' && { asks: t.againAsks }),
            run: () => asked(api.POST('/api/sends/{messageId}/resend', path)),
          },
        ]}
      />
    </>
  );
}
