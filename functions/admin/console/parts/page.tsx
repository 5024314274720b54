import type { ComponentChildren } from 'preact';
import { useEffect } from 'preact/hooks';
import { address } from '../address.ts';
import { hubUrl, mayChange, session } from '../api.ts';
import { texts } from '../texts.ts';
import { Failure, Loading } from './small.tsx';

interface PageProps {
  readonly title: string;
  readonly children: ComponentChildren;
  /** What can be done here. */
  readonly actions?: ComponentChildren;
  /** The call behind this page, in the API's reference. */
  readonly call?: string;
  /** What that is called with, where it does not stand in the address. */
  readonly callId?: string;
}

export function Page({ title, actions, children, call, callId }: PageProps) {
  useEffect(() => {
    document.title = `${title} · Hookline`;
  }, [title]);
  return (
    <main id="main" class="page" tabIndex={-1}>
      <header class="page-head">
        <h1>{title}</h1>
        {mayChange() && <div class="actions">{actions}</div>}
      </header>
      {children}
      {call && <CallBehind call={call} id={callId} />}
    </main>
  );
}

/** Where what is shown comes from, in the API's reference. */
export function CallBehind({ call, id }: { readonly call: string; readonly id?: string | undefined }) {
  return (
    <p class="call faint">
      <a href={`${hubUrl()}/docs#${filledIn(call, id)}`}>{texts.callBehind}</a> <code>{call}</code>
    </p>
  );
}

/** With what this page is called with: its id, and its filter, which has the names that the API gives it. */
function filledIn(call: string, id = address.value.id ?? ''): URLSearchParams {
  const { workspace, ...query } = Object.fromEntries(address.value.query);
  const [name] = /(?<=\{)\w+(?=\})/.exec(call) ?? [];
  return new URLSearchParams({
    call,
    back: location.hash,
    ...query,
    ...(name && { [name]: id }),
    ...(workspace && session.value?.admin && { workspace }),
  });
}

interface LoadedProps<Data> {
  readonly live: { readonly data?: Data | undefined; readonly error?: Error | undefined };
  readonly children: (data: Data) => ComponentChildren;
}

/** What was loaded; an error beside it says that it is not the newest. */
export function Loaded<Data>({ live, children }: LoadedProps<Data>) {
  return (
    <>
      {live.error && <Failure error={live.error} />}
      {live.data === undefined ? !live.error && <Loading /> : children(live.data)}
    </>
  );
}
