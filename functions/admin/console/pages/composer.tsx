import { Paperclip, SendHorizontal, X } from 'lucide-preact';
import { useRef, useState } from 'preact/hooks';
import { type Account, api, asked } from '../api.ts';
import { TextField } from '../parts/form.tsx';
import { leavingFrom } from '../parts/queue.tsx';
import { Time } from '../parts/small.tsx';
import { attempt } from '../parts/toast.tsx';
import { reasonOf, texts } from '../texts.ts';

const t = texts.inbox;

interface Draft {
  readonly text: string;
  /** Left out while no file is to go along. */
  readonly file?: { readonly url: string; readonly name: string };
}

/** What was begun and not sent, by conversation: it is there again when somebody comes back. */
const drafts = new Map<string, Draft>();
const EMPTY: Draft = { text: '' };

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
  const [draft, setDraft] = useState(drafts.get(name) ?? EMPTY);
  const sending = useRef(false);
  const change = (value: Draft) => {
    drafts.set(name, value);
    setDraft(value);
  };
  const { text, file } = draft;
  const isReady = to !== undefined && (text.trim() !== '' || (file?.url ?? '') !== '');
  const send = async () => {
    if (sending.current || !isReady) return;
    sending.current = true;
    // Two clicks, or an answer that was lost, are the same message.
    const header = { 'Idempotency-Key': crypto.randomUUID() };
    const body = {
      ...to,
      ...(text.trim() && { text }),
      ...(file?.url && { file_url: file.url, file_name: file.name || nameIn(file.url) }),
    };
    let id = '';
    const isSent = await attempt(async () => {
      id = (await asked(api.POST('/api/sends', { body, params: { header } }))).messageId;
    });
    sending.current = false;
    if (!isSent) return;
    change(EMPTY);
    await onSent(id);
  };
  const onKeyDown = (event: KeyboardEvent) => {
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
      {file && <FileFields file={file} onChange={(changed) => change({ ...draft, file: changed })} />}
      <textarea
        aria-label={t.answer}
        placeholder={t.placeholder}
        rows={2}
        value={text}
        onInput={({ currentTarget }) => change({ ...draft, text: currentTarget.value })}
        onKeyDown={onKeyDown}
      />
      {account?.channel !== 'sms' && (
        <button
          type="button"
          aria-label={file ? t.withoutFile : t.withFile}
          aria-expanded={file !== undefined}
          onClick={() => change(file ? { text } : { text, file: { url: '', name: '' } })}
        >
          {file ? <X aria-hidden="true" /> : <Paperclip aria-hidden="true" />}
        </button>
      )}
      <button type="submit" class="primary" aria-label={t.send} aria-disabled={!isReady}>
        <SendHorizontal aria-hidden="true" />
      </button>
      <p class="hint">
        {t.costs(file?.url && text.trim() ? 2 : 1)} {account && <Departure account={account} />}{' '}
        <span class="for-keys">{t.keysHint}</span>
      </p>
    </form>
  );
}

interface FileFieldsProps {
  readonly file: { readonly url: string; readonly name: string };
  readonly onChange: (file: FileFieldsProps['file']) => void;
}

function FileFields({ file, onChange }: FileFieldsProps) {
  return (
    <div class="file-fields">
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
}

/** The end of a link, as most say what they lead to. */
function nameIn(url: string): string {
  const path = URL.canParse(url) ? new URL(url).pathname : '';
  return decodeURIComponent(path.split('/').at(-1) ?? '');
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
          {t.leaves} <Time at={new Date(at).toISOString()} />.
        </>
      )}
    </>
  );
}
