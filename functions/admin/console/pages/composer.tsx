import { type Signal, signal } from '@preact/signals';
import { Paperclip, SendHorizontal, X } from 'lucide-preact';
import { useRef, useState } from 'preact/hooks';
import { type Account, api, asked, errorOf, untilSignedOut, workspace } from '../api.ts';
import type { Quoted } from '../conversation.ts';
import { QuotedWords } from '../parts/bubble.tsx';
import { TextField } from '../parts/form.tsx';
import { leavingFrom } from '../parts/send.tsx';
import { Failure, Time } from '../parts/small.tsx';
import { reasonOf, texts } from '../texts.ts';

const t = texts.inbox;

interface File {
  readonly url: string;
  readonly name: string;
}

interface Draft {
  readonly text: string;
  /** Left out while no file is to go along. */
  readonly file?: File;
  /** The message that it answers. */
  readonly quoted?: Quoted;
  /** What was tried and got no answer that took it, and under which key. */
  readonly tried?: { readonly body: string; readonly key: string };
}

/** What was begun and not sent, by workspace and conversation: it is there again when somebody comes back. */
const drafts = untilSignedOut(new Map<string, Signal<Draft>>());
const EMPTY: Draft = { text: '' };

function draftOf(conversation: string): Signal<Draft> {
  const name = `${workspace.value} ${conversation}`;
  const draft = drafts.get(name) ?? signal(EMPTY);
  drafts.set(name, draft);
  return draft;
}

/** What is begun there answers this message. */
export function answerTo(name: string, quoted: Quoted): void {
  const draft = draftOf(name);
  draft.value = { ...draft.value, quoted };
}

type Recipient = { readonly chat_id: string } | { readonly phone: string; readonly account_id?: string };

interface ComposerProps {
  /** Under which name what was begun is kept. */
  readonly draft: string;
  /** Left out while nobody is chosen. */
  readonly to: Recipient | undefined;
  readonly account: Account | undefined;
  readonly onSent: (messageId: string) => Promise<unknown>;
}

export function Composer({ draft: name, to, account, onSent }: ComposerProps) {
  const kept = draftOf(name);
  const draft = kept.value;
  const [error, setError] = useState<Error>();
  const sending = useRef(false);
  const change = (value: Draft) => {
    kept.value = value;
  };
  const { text, file, quoted } = draft;
  const withoutQuote = () => {
    const { quoted: _, ...rest } = draft;
    change(rest);
  };
  const isReady = to !== undefined && (text.trim() !== '' || Boolean(file?.url.trim()));
  const send = async () => {
    if (sending.current || to === undefined || !isReady) return;
    sending.current = true;
    setError(undefined);
    const body = {
      ...to,
      ...(text.trim() && { text }),
      ...(file?.url.trim() && { file_url: file.url.trim(), file_name: file.name.trim() }),
      ...(quoted && { quoted_message_id: quoted.id }),
    };
    // Whoever tries again after an answer that was lost means the same message, also when they were elsewhere meanwhile.
    const said = JSON.stringify(body);
    const tried = draft.tried?.body === said ? draft.tried : { body: said, key: crypto.randomUUID() };
    const header = { 'Idempotency-Key': tried.key };
    // What is written from now on is the next message.
    change(EMPTY);
    try {
      const { messageId } = await asked(api.POST('/api/sends', { body, params: { header } }));
      await onSent(messageId);
    } catch (cause) {
      setError(errorOf(cause));
      const next = kept.value;
      change({ ...draft, ...next, tried, text: [text, next.text].filter(Boolean).join('\n') });
    } finally {
      sending.current = false;
    }
  };
  const withFile = () => {
    const { file: _, ...rest } = draft;
    change(file ? rest : { ...rest, file: { url: '', name: '' } });
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === 'Escape' && quoted) {
      // The next one leads out of the field.
      event.stopPropagation();
      withoutQuote();
    }
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    void send();
  };
  return (
    <form
      class="composer"
      onSubmit={(event) => {
        event.preventDefault();
        void send();
      }}
    >
      {quoted && (
        <div class="quoted">
          <p class="quote" id="quoted">
            <QuotedWords {...quoted} />
          </p>
          <button type="button" class="plain" aria-label={t.withoutQuote} title={t.withoutQuote} onClick={withoutQuote}>
            <X aria-hidden="true" />
          </button>
        </div>
      )}
      {file && <FileFields file={file} onChange={(changed) => change({ ...draft, file: changed })} />}
      <textarea
        aria-label={t.answer}
        aria-describedby={quoted && 'quoted'}
        placeholder={t.placeholder}
        rows={1}
        dir="auto"
        value={text}
        onInput={({ currentTarget }) => change({ ...draft, text: currentTarget.value })}
        onKeyDown={onKeyDown}
      />
      {account?.channel !== 'sms' && (
        <button
          type="button"
          aria-label={file ? t.withoutFile : t.withFile}
          title={file ? t.withoutFile : t.withFile}
          aria-expanded={file !== undefined}
          onClick={withFile}
        >
          {file ? <X aria-hidden="true" /> : <Paperclip aria-hidden="true" />}
        </button>
      )}
      <button type="submit" class="primary" aria-label={t.send} title={t.send} aria-disabled={!isReady}>
        <SendHorizontal aria-hidden="true" />
      </button>
      {error && <Failure error={error} />}
      <p class="faint">
        <span class="for-keys">{t.keysHint}</span> {t.costs(file?.url && text.trim() ? 2 : 1)}{' '}
        {account && <Departure account={account} />}
      </p>
    </form>
  );
}

const FileFields = ({ file, onChange }: { readonly file: File; readonly onChange: (file: File) => void }) => (
  <div class="pair">
    <TextField
      name="file_url"
      label={t.fileUrl}
      hint={t.fileUrlHint}
      value={file.url}
      onInput={(url) => onChange({ ...file, url })}
    />
    <TextField
      name="file_name"
      label={t.fileName}
      hint={t.fileNameHint}
      value={file.name}
      onInput={(name) => onChange({ ...file, name })}
    />
  </div>
);

/** How many wait before it, and about when it leaves; or why nothing leaves. */
function Departure({ account }: { readonly account: Account }) {
  const { pending, paused, pauseReason, held, holdReason } = account;
  if (held) return <span class="bad">{t.isHeld(reasonOf(holdReason ?? texts.none))}</span>;
  if (paused) return <span class="bad">{t.isPaused(pauseReason ?? texts.none)}</span>;
  const { first, gap } = leavingFrom(account, Date.now());
  const at = first + pending * gap;
  return (
    <>
      {t.waitingBefore(pending)}{' '}
      {at - Date.now() > 5_000 && (
        <>
          {t.leaves} <Time at={new Date(at).toISOString()} />
        </>
      )}
    </>
  );
}
