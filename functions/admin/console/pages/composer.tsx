import { type Signal, signal } from '@preact/signals';
import { Paperclip, SendHorizontal, X } from 'lucide-preact';
import { useRef, useState } from 'preact/hooks';
import { addressOf, decoded } from '../address.ts';
import { type Account, api, asked, errorOf, untilSignedOut, workspace } from '../api.ts';
import type { Quoted } from '../conversation.ts';
import { QuotedWords } from '../parts/bubble.tsx';
import { FileView } from '../parts/content.tsx';
import { TextField } from '../parts/form.tsx';
import { isWeb } from '../parts/message-text.tsx';
import { leavingFrom } from '../parts/queue.tsx';
import { Failure, Time } from '../parts/small.tsx';
import { reasonOf, texts } from '../texts.ts';

const t = texts.inbox;

interface File {
  readonly url: string;
  /** Left out until somebody gives it another one than its link proposes. */
  readonly name?: string;
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
  /** Nothing can be sent through any. */
  readonly hasNoAccount: boolean;
  readonly onSent: (messageId: string) => Promise<unknown>;
}

export function Composer({ draft: name, to, account, hasNoAccount, onSent }: ComposerProps) {
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
  const isReady = to !== undefined && (text.trim() !== '' || file?.url) && (!file?.url || faultOf(file) === undefined);
  const send = async () => {
    if (sending.current || to === undefined || !isReady) return;
    sending.current = true;
    setError(undefined);
    const body = {
      ...to,
      ...(text.trim() && { text }),
      ...(file?.url && { file_url: file.url.trim(), file_name: nameOf(file) }),
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
    change(file ? rest : { ...rest, file: { url: '' } });
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
      <p class="hint">
        <span class="for-keys">{t.keysHint}</span> {t.costs(file?.url && text.trim() ? 2 : 1)}{' '}
        {account && <Departure account={account} />}
        {hasNoAccount && <a href={addressOf('accounts', 'new')}>{t.connect}</a>}
      </p>
    </form>
  );
}

interface FileFieldsProps {
  readonly file: File;
  readonly onChange: (file: File) => void;
}

function FileFields({ file, onChange }: FileFieldsProps) {
  const url = file.url.trim();
  const fault = url === '' ? undefined : faultOf(file);
  const name = nameOf(file);
  return (
    <div class="file-fields">
      <TextField
        name="file_url"
        label={t.fileUrl}
        hint={t.fileUrlHint}
        value={file.url}
        onInput={(changed) => onChange({ ...file, url: changed })}
      />
      <TextField
        name="file_name"
        label={t.fileName}
        hint={t.fileNameHint}
        value={name}
        onInput={(changed) => onChange({ ...file, name: changed })}
      />
      {fault !== undefined && <Failure error={new Error(fault)} />}
      {url !== '' && fault === undefined && <FileView key={url} type={typeOf(url)} file={{ url, name }} />}
    </div>
  );
}

/** What is wrong with it, as it can be told without asking the hub. */
function faultOf(file: File): string | undefined {
  if (!isWeb(file.url.trim())) return t.noLink;
  return nameOf(file).trim() === '' ? t.noFileName : undefined;
}

const nameOf = ({ url, name }: File): string => name ?? nameIn(url.trim());

/** The end of a link, where it looks like the name of a file: any other may be the link's secret. */
function nameIn(url: string): string {
  const name = URL.canParse(url) ? decoded(new URL(url).pathname.split('/').at(-1) ?? '') : '';
  return /[^.]\.\w{1,8}$/.test(name) ? name : '';
}

const TYPES = {
  image: /\.(?:jpe?g|png|gif|webp)$/i,
  audio: /\.(?:mp3|m4a|ogg|oga|opus|wav)$/i,
  video: /\.(?:mp4|webm|mov|3gp)$/i,
} as const;

/** What can be looked at before it is sent. */
function typeOf(url: string): 'image' | 'audio' | 'video' | 'document' {
  const { pathname } = new URL(url);
  if (TYPES.image.test(pathname)) return 'image';
  if (TYPES.audio.test(pathname)) return 'audio';
  return TYPES.video.test(pathname) ? 'video' : 'document';
}

/** How many wait before it, and about when it leaves; or why nothing leaves. */
function Departure({ account }: { readonly account: Account }) {
  const { pending, paused, pauseReason, held, holdReason } = account;
  if (held) return <span class="reason">{t.isHeld(reasonOf(holdReason ?? texts.none))}</span>;
  if (paused) return <span class="reason">{t.isPaused(pauseReason ?? texts.none)}</span>;
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
