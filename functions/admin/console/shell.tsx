import { signal } from '@preact/signals';
import {
  BookOpen,
  Coins,
  Gauge,
  Inbox as InboxIcon,
  Keyboard,
  LogOut,
  Menu,
  Plug,
  Radio,
  Send,
  Settings as SettingsIcon,
  Smartphone,
  Webhook,
  X,
  Zap,
} from 'lucide-preact';
import { type ComponentType, Fragment } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { address, addressOf, go } from './address.ts';
import { api, asked, hubUrl, signOut, workspace } from './api.ts';
import { useOnce } from './live.ts';
import { Overview } from './pages/overview.tsx';
import { Dialog } from './parts/dialog.tsx';
import { isWriting, useKeys } from './parts/keys.ts';
import { Failure, Loading } from './parts/small.tsx';
import { attempt } from './parts/toast.tsx';
import { texts } from './texts.ts';

interface Entry {
  readonly Icon: typeof Gauge;
  readonly Page: ComponentType<{ readonly id?: string | undefined }>;
}

type View = Entry['Page'];

/** A page that is fetched when it is opened first. */
function later(load: () => Promise<View>): View {
  const loaded = signal<View | Error | undefined>(undefined);
  const fetchIt = async () => {
    loaded.value = await load().catch(() => new Error(texts.notLoaded));
  };
  return function Later(props) {
    const View = loaded.value;
    useEffect(() => {
      if (typeof loaded.value !== 'function') void fetchIt();
    }, []);
    if (typeof View === 'function') return <View {...props} />;
    return (
      <main id="main" class="page" tabIndex={-1}>
        {View ? <Failure error={View} /> : <Loading />}
      </main>
    );
  };
}

const PAGES: Readonly<Partial<Record<keyof typeof texts.pages, Entry>>> = {
  overview: { Icon: Gauge, Page: Overview },
  inbox: { Icon: InboxIcon, Page: later(async () => (await import('./pages/inbox.tsx')).Inbox) },
  sends: { Icon: Send, Page: later(async () => (await import('./pages/sends.tsx')).Sends) },
  events: { Icon: Radio, Page: later(async () => (await import('./pages/events.tsx')).Events) },
  webhooks: { Icon: Webhook, Page: later(async () => (await import('./pages/webhooks.tsx')).Webhooks) },
  accounts: { Icon: Smartphone, Page: later(async () => (await import('./pages/accounts.tsx')).Accounts) },
  endpoints: { Icon: Plug, Page: later(async () => (await import('./pages/endpoints.tsx')).Endpoints) },
  rules: { Icon: Zap, Page: later(async () => (await import('./pages/rules.tsx')).Rules) },
  credits: { Icon: Coins, Page: later(async () => (await import('./pages/credits.tsx')).Credits) },
  settings: { Icon: SettingsIcon, Page: later(async () => (await import('./pages/settings.tsx')).Settings) },
};

const isPage = (name: string): name is keyof typeof PAGES => Object.hasOwn(PAGES, name);

export function Shell() {
  const place = address.value;
  const { page: named, id } = place;
  const name = isPage(named) ? named : 'overview';
  const Current = PAGES[name]?.Page ?? Overview;
  const [isHelp, showHelp] = useState(false);
  const [isOpen, open] = useState(false);
  useEffect(() => open(false), [place]);
  const menu = useRef<HTMLButtonElement>(null);
  const close = ({ key }: KeyboardEvent) => {
    if (key !== 'Escape' || !isOpen) return;
    open(false);
    menu.current?.focus();
  };
  const isGoing = useRef(false);
  useKeys((event) => {
    if (isWriting(event)) return;
    const letter = isGoing.current ? LETTERS[event.key] : undefined;
    isGoing.current = event.key === 'g';
    if (letter) go(addressOf(letter));
    if (event.key === '?') showHelp(true);
  });
  return (
    <div class="shell">
      <button type="button" class="skip" onClick={skip}>
        {texts.skip}
      </button>
      <nav class={isOpen ? 'nav open' : 'nav'} aria-label={texts.menu} onKeyDown={close}>
        <a class="button plain brand" href={addressOf('overview')}>
          Hookline
        </a>
        {/* On a phone only the pages that are needed most have room. */}
        <button
          ref={menu}
          type="button"
          class="plain more"
          aria-label={texts.allPages}
          title={texts.allPages}
          aria-expanded={isOpen}
          onClick={() => open(!isOpen)}
        >
          {isOpen ? <X aria-hidden="true" /> : <Menu aria-hidden="true" />}
        </button>
        {Object.entries(PAGES).map(([page, { Icon }]) => (
          <a
            key={page}
            class="button plain"
            href={addressOf(page)}
            aria-label={isPage(page) ? texts.pages[page] : page}
            aria-current={page === name ? 'page' : undefined}
            // To the page that is open the address does not change.
            onClick={() => open(false)}
          >
            <Icon aria-hidden="true" />
            <span>{isPage(page) ? texts.pages[page] : page}</span>
          </a>
        ))}
        <div class="nav-end">
          <Where key={workspace.value} id={workspace.value} />
          <a class="button plain" href={`${hubUrl()}/docs`}>
            <BookOpen aria-hidden="true" />
            {texts.reference}
          </a>
          <button type="button" class="plain for-keys" onClick={() => showHelp(true)}>
            <Keyboard aria-hidden="true" />
            <span>{texts.keys.title}</span>
          </button>
          <button type="button" class="plain" onClick={() => attempt(signOut)}>
            <LogOut aria-hidden="true" />
            <span>{texts.signOut}</span>
          </button>
        </div>
      </nav>
      <Current {...(id !== undefined && { id })} />
      {isHelp && <Keys onClose={() => showHelp(false)} />}
    </div>
  );
}

/** The workspace by its name; by its id until that is known, and where the key may not ask for it. */
function Where({ id }: { readonly id: string }) {
  const { data } = useOnce(() => asked(api.GET('/api/workspaces/{id}', { params: { path: { id } } })));
  return (
    <a class="button plain where faint" href={addressOf('settings')}>
      {texts.workspace} <strong>{data?.name ?? id}</strong>
    </a>
  );
}

/** No link: what stands behind the `#` is the page's name. */
function skip(): void {
  document.getElementById('main')?.focus();
}

/** `g` and one of these lead to a page. */
const LETTERS: Readonly<Record<string, keyof typeof texts.pages>> = {
  ...{ o: 'overview', i: 'inbox', s: 'sends', e: 'events', w: 'webhooks', a: 'accounts', p: 'endpoints' },
  ...{ r: 'rules', c: 'credits', t: 'settings' },
};

function Keys({ onClose }: { readonly onClose: () => void }) {
  const t = texts.keys;
  const pages = Object.entries(LETTERS).map(([letter, page]) => [`g ${letter}`, texts.pages[page]] as const);
  return (
    <Dialog title={t.title} onClose={onClose}>
      <dl class="keys">
        {[...Object.entries(t.list), ...pages].map(([key, does]) => (
          <Fragment key={key}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{does}</dd>
          </Fragment>
        ))}
      </dl>
    </Dialog>
  );
}
