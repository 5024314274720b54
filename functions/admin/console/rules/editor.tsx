import { useMemo, useRef, useState } from 'preact/hooks';
import { allAccounts, api, asked, errorOf, type NewRule } from '../api.ts';
import { useOnce } from '../live.ts';
import { Field, Form } from '../parts/form.tsx';
import { Failure } from '../parts/small.tsx';
import { accountName, texts } from '../texts.ts';
import { Nameable } from './action.tsx';
import { Places } from './controls.tsx';
import { type Draft, draftIn, jsonIn, textOf } from './draft.ts';
import { RuleFields } from './form.tsx';
import { ruleTexts } from './texts.ts';
import { Trial } from './trial.tsx';

const t = ruleTexts;

interface EditorProps {
  readonly begun: Draft;
  /** What of it is to be filled in. */
  readonly places?: readonly { readonly path: string; readonly label: string; readonly example?: unknown }[];
  readonly onSave: (rule: NewRule) => Promise<unknown>;
}

/** A rule as a form or as JSON, and the trial of what stands there. */
export function Editor({ begun, places = [], onSave }: EditorProps) {
  const [rule, setRule] = useState(begun);
  /** While it is shown as JSON, whatever was typed. */
  const [text, setText] = useState<string>();
  const [fault, setFault] = useState<Error>();
  const fields = useRef<HTMLDivElement>(null);
  const names = useOnce(loadNames);
  const nameable = useMemo(() => names.data ?? { accounts: [], endpoints: [] }, [names.data]);
  const written = (): Draft => {
    if (text === undefined) return rule;
    const read = draftIn(text);
    if (!read) throw new Error(jsonIn(text) ? t.noRule : t.noJson);
    return read;
  };
  const show = (what: 'form' | 'json') => {
    try {
      const now = written();
      setFault(undefined);
      setRule(now);
      setText(what === 'json' ? textOf(now) : undefined);
    } catch (cause) {
      setFault(errorOf(cause));
    }
  };
  return (
    <Nameable.Provider value={nameable}>
      <Places.Provider value={places}>
        <div class="rule">
          <div class="rule-form" ref={fields}>
            <fieldset class="switch" aria-label={t.view}>
              <button type="button" aria-pressed={text === undefined} onClick={() => show('form')}>
                {t.form}
              </button>
              <button type="button" aria-pressed={text !== undefined} onClick={() => show('json')}>
                {t.json}
              </button>
            </fieldset>
            {names.error && <Failure error={names.error} />}
            {fault && <Failure error={fault} />}
            <Form act={texts.save} onSubmit={() => onSave(asRule(written()))}>
              {text === undefined ? (
                <RuleFields rule={rule} onChange={setRule} />
              ) : (
                <Field label={t.json} hint={t.jsonHint}>
                  <textarea
                    class="code"
                    rows={24}
                    spellcheck={false}
                    value={text}
                    onInput={({ currentTarget }) => setText(currentTarget.value)}
                  />
                </Field>
              )}
            </Form>
          </div>
          <Trial
            isFilled={() => fields.current?.querySelector('form')?.reportValidity() !== false}
            ruleOf={() => asRule(written())}
          />
        </div>
      </Places.Provider>
    </Nameable.Provider>
  );
}

/** Somebody writes it freely; the API checks it, and names the field that is wrong. */
const asRule = (draft: Draft): NewRule => JSON.parse(JSON.stringify(draft));

async function loadNames() {
  const [accounts, endpoints] = await Promise.all([allAccounts(), asked(api.GET('/api/endpoints'))]);
  return {
    accounts: accounts.map((account) => [account.id, `${accountName(account)} (${account.channel})`] as const),
    endpoints: endpoints.items.map(({ id, name, url }) => [id, name ?? url] as const),
  };
}
