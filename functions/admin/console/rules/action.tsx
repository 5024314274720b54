import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import { CheckBox, Select } from '../parts/form.tsx';
import { texts } from '../texts.ts';
import { JsonBox, LinesBox, RemoveButton, TextBox } from './controls.tsx';
import { areLines, type Draft, fits, isDraft, isText, isTextOrNone, isTruthOrNone, withField } from './draft.ts';
import { ruleTexts } from './texts.ts';

const t = ruleTexts;

type Named = readonly (readonly [id: string, name: string])[];

/** What actions can name. */
export const Nameable = createContext<{ readonly accounts: Named; readonly endpoints: Named }>({
  accounts: [],
  endpoints: [],
});

const RECIPIENTS = ['phone', 'chat_id', 'chat_name', 'jid'] as const;
const METHODS = ['POST', 'PUT', 'PATCH', 'DELETE'] as const;
const ATTACHED = ['event', 'raw'] as const;

const isOneOf = <Name extends string>(names: readonly Name[], value: unknown): value is Name =>
  names.some((name) => name === value);
const isAny = () => true;

const MESSAGE = { action: isText, text: isTextOrNone, fileUrl: isTextOrNone, fileName: isTextOrNone };

/** The kinds of actions, what a new one of each begins with, and what the form can show of it. */
const KINDS = {
  reply: { begun: { text: '' }, shape: { ...MESSAGE, quote: isTruthOrNone } },
  send: {
    begun: { to: { phone: '' }, text: '' },
    shape: { ...MESSAGE, accountId: isTextOrNone, to: (to: unknown) => recipientIn(to) !== undefined },
  },
  forward: { begun: { endpoint: '' }, shape: { action: isText, endpoint: isText } },
  call: {
    begun: { url: '' },
    shape: {
      ...{ action: isText, url: isText, headers: isAny, json: isAny },
      method: (method: unknown) => isOneOf(METHODS, method ?? 'POST'),
    },
  },
  email: {
    begun: { to: [], subject: '', text: '' },
    shape: {
      ...{ action: isText, to: areLines, subject: isText, text: isText },
      attach: (attach: unknown) => attach === undefined || isOneOf(ATTACHED, attach),
    },
  },
};
type Kind = keyof typeof KINDS;
const isKind = (name: unknown): name is Kind => isText(name) && Object.hasOwn(KINDS, name);

export const newAction = (kind: Kind = 'reply'): Draft => ({ action: kind, ...KINDS[kind].begun });

/** An action of another kind; the text goes along where the other has one. */
function turnedInto(kind: Kind, action: Draft): Draft {
  const begun = newAction(kind);
  return 'text' in begun && isText(action.text) ? { ...begun, text: action.text } : begun;
}

function recipientIn(to: unknown): readonly [kind: (typeof RECIPIENTS)[number], value: string] | undefined {
  if (!isDraft(to)) return undefined;
  const [[kind, value] = [], ...others] = Object.entries(to);
  return others.length === 0 && isOneOf(RECIPIENTS, kind) && isText(value) ? [kind, value] : undefined;
}

interface ActionProps {
  readonly action: unknown;
  readonly path: string;
  readonly onChange: (action: unknown) => void;
  readonly onRemove: (() => void) | undefined;
}

export function ActionForm({ action, path, onChange, onRemove }: ActionProps) {
  const remove = onRemove && <RemoveButton label={t.removeAction} onClick={onRemove} />;
  if (!isDraft(action) || !isKind(action.action) || !fits(KINDS[action.action].shape, action)) {
    return (
      <div class="condition">
        <JsonBox label={t.asJson} value={action} onChange={onChange} />
        {remove}
      </div>
    );
  }
  const kinds = Object.keys(KINDS).filter(isKind);
  return (
    <fieldset class="action" aria-label={t.actions[action.action]}>
      <div class="head">
        <Select
          label={t.action}
          isBare
          value={action.action}
          options={kinds.map((kind) => [kind, t.actions[kind] ?? kind] as const)}
          onChange={(kind) => onChange(turnedInto(kind, action))}
        />
        {remove}
      </div>
      <Fields action={action} kind={action.action} path={path} onChange={onChange} />
    </fieldset>
  );
}

interface FieldsProps {
  readonly action: Draft;
  readonly path: string;
  readonly onChange: (action: Draft) => void;
}

function Fields({ kind, ...props }: FieldsProps & { readonly kind: Kind }) {
  switch (kind) {
    case 'reply':
      return (
        <>
          <Message {...props} />
          <CheckBox
            label={t.quote}
            value={props.action.quote === true}
            onChange={(quote) => props.onChange(withField(props.action, 'quote', quote || undefined))}
          />
        </>
      );
    case 'send':
      return (
        <>
          <Recipient {...props} />
          <Message {...props} />
        </>
      );
    case 'forward':
      return <Endpoint {...props} />;
    case 'call':
      return <Call {...props} />;
    case 'email':
      return <Email {...props} />;
  }
}

/** A text field of an action; one that is emptied and may be is left out. */
function ofAction({ action, path, onChange }: FieldsProps, name: string, isOptional = false) {
  const value = action[name];
  return {
    path: `${path}.${name}`,
    value: isText(value) ? value : '',
    onChange: (typed: string) => onChange(withField(action, name, typed === '' && isOptional ? undefined : typed)),
  };
}

function Message(props: FieldsProps) {
  const { fileUrl, fileName } = props.action;
  const hasFile = fileUrl !== undefined || fileName !== undefined;
  return (
    <>
      <TextBox label={t.text} hint={t.textHint} rows={3} {...ofAction(props, 'text', hasFile)} />
      <div class="pair">
        <TextBox label={t.fileUrl} hint={t.fileUrlHint} {...ofAction(props, 'fileUrl', true)} />
        <TextBox label={t.fileName} hint={texts.optional} {...ofAction(props, 'fileName', true)} />
      </div>
    </>
  );
}

function Recipient(props: FieldsProps) {
  const { action, path, onChange } = props;
  const { accounts } = useContext(Nameable);
  const [kind, to] = recipientIn(action.to) ?? (['phone', ''] as const);
  const account = isText(action.accountId) ? action.accountId : '';
  return (
    <>
      <div class="pair">
        <Select
          label={t.toKind}
          value={kind}
          options={RECIPIENTS.map((one) => [one, t.recipients[one] ?? one] as const)}
          onChange={(chosen) => onChange({ ...action, to: { [chosen]: to } })}
        />
        <TextBox
          label={t.to}
          isRequired
          path={`${path}.to.${kind}`}
          value={to}
          onChange={(typed) => onChange({ ...action, to: { [kind]: typed } })}
        />
      </div>
      <Select
        label={t.account}
        value={account}
        options={withCurrent(accounts, account, t.defaultAccount)}
        onChange={(id) => onChange(withField(action, 'accountId', id === '' ? undefined : id))}
      />
    </>
  );
}

/** What is chosen stays in the list, also where it has been deleted meanwhile. */
function withCurrent(named: Named, current: string, none: string): Named {
  const isThere = current === '' || named.some(([id]) => id === current);
  return [['', none], ...named, ...(isThere ? [] : [[current, current] as const])];
}

function Endpoint(props: FieldsProps) {
  const { endpoints } = useContext(Nameable);
  const { value, onChange } = ofAction(props, 'endpoint');
  return (
    <Select
      label={texts.endpoints.one}
      value={value}
      options={withCurrent(endpoints, value, t.choose)}
      onChange={onChange}
    />
  );
}

function Call(props: FieldsProps) {
  const { action, onChange } = props;
  const set = (name: string) => (value: unknown) => onChange(withField(action, name, value));
  return (
    <>
      <div class="pair">
        <Select
          label={t.method}
          value={isOneOf(METHODS, action.method) ? action.method : 'POST'}
          options={METHODS.map((method) => [method, method] as const)}
          onChange={set('method')}
        />
        <TextBox label={t.url} isRequired {...ofAction(props, 'url')} />
      </div>
      <CheckBox
        label={t.ownBody}
        value={action.json !== undefined}
        onChange={(isOwn) => set('json')(isOwn ? {} : undefined)}
      />
      {action.json !== undefined && (
        <JsonBox label={t.json} hint={t.textHint} value={action.json} onChange={set('json')} />
      )}
      <details open={action.headers !== undefined}>
        <summary>{t.headers}</summary>
        <JsonBox label={t.headers} hint={t.headersHint} value={action.headers ?? {}} onChange={set('headers')} />
      </details>
    </>
  );
}

function Email(props: FieldsProps) {
  const { action, path, onChange } = props;
  const attach = isOneOf(ATTACHED, action.attach) ? action.attach : '';
  return (
    <>
      <LinesBox
        label={texts.to}
        path={`${path}.to`}
        value={areLines(action.to) ? action.to : []}
        onChange={(to) => onChange({ ...action, to })}
      />
      <TextBox label={t.subject} isRequired {...ofAction(props, 'subject')} />
      <TextBox label={t.text} hint={t.textHint} rows={4} isRequired {...ofAction(props, 'text')} />
      <Select
        label={t.attach}
        value={attach}
        options={Object.entries(t.attached)}
        onChange={(chosen) => onChange(withField(action, 'attach', chosen === '' ? undefined : chosen))}
      />
    </>
  );
}
