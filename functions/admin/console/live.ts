import { useEffect, useRef, useState } from 'preact/hooks';
import { errorOf, type Kind, lookForChanges, versionOf, workspace } from './api.ts';

const FAST_MS = 3_000;
const SLOW_MS = 15_000;
/** For so long after something changed, or somebody did something, a list is lively. */
const LIVELY_MS = 60_000;

let lastTouch = Date.now();
for (const event of ['pointerdown', 'keydown']) {
  addEventListener(event, () => {
    lastTouch = Date.now();
  });
}

export interface Live<Data> {
  readonly data: Data | undefined;
  readonly error: Error | undefined;
  /** Asks at once: after something was changed. */
  readonly again: () => Promise<void>;
}

export interface Pace {
  /** What it shows: it is asked for anew when one of these has changed. Left out: each time. */
  readonly of?: readonly Kind[];
  /** What takes many calls is never asked for every 3 s. */
  readonly isSlow?: boolean;
}

/** Once in a while it is asked for anyhow: a time may have come, or a change may have been missed. */
const ANYHOW_MS = 60_000;

/**
 * What `load` answers, asked anew while the page is seen: every 3 s while it is lively, else every 15 s, never when it is
 * hidden. What comes back unchanged draws nothing. `name` says what is loaded: with another one, or in another workspace, it
 * begins anew.
 */
export function useLive<Data>(name: string, load: () => Promise<Data>, pace: Pace = {}): Live<Data> {
  const key = `${workspace.value} ${name}`;
  const [state, setState] = useState<{ key: string; data?: Data; error?: Error }>({ key });
  const latest = useRef({ load, pace });
  latest.current = { load, pace };
  const asking = useRef(() => Promise.resolve());
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let stopped = false;
    let drawn = '';
    let changedAt = 0;
    const watch = watcher();
    const ask = async () => {
      try {
        const data = await latest.current.load();
        const text = JSON.stringify(data);
        if (stopped || text === drawn) return;
        if (drawn !== '') changedAt = Date.now();
        drawn = text;
        setState({ key, data });
      } catch (cause) {
        drawn = '';
        if (!stopped) setState((before) => ({ ...(before.key === key && before), key, error: errorOf(cause) }));
      }
    };
    const loop = async (isWanted: boolean) => {
      clearTimeout(timer);
      if (document.visibilityState === 'hidden') return;
      const { of, isSlow } = latest.current.pace;
      if ((await watch(of)) || isWanted || drawn === '') await ask();
      const isLively = !isSlow && Date.now() - Math.max(changedAt, lastTouch) < LIVELY_MS;
      if (!stopped) timer = setTimeout(loop, isLively ? FAST_MS : SLOW_MS, false);
    };
    const look = () => void loop(false);
    asking.current = () => loop(true);
    document.addEventListener('visibilitychange', look);
    look();
    return () => {
      stopped = true;
      clearTimeout(timer);
      document.removeEventListener('visibilitychange', look);
    };
  }, [key]);
  // What was loaded for another key is not shown under this one.
  const { data, error } = state.key === key ? state : { data: undefined, error: undefined };
  return { data, error, again: () => asking.current() };
}

/** Says whether to look again at what shows `of`, each time that it is asked. */
function watcher() {
  let known: number | undefined;
  let lookedAt = 0;
  let isLate = false;
  return async (of: readonly Kind[] | undefined): Promise<boolean> => {
    if (of === undefined) return true;
    // The first time all is loaded anyhow, and is not to wait for this.
    const isFirst = known === undefined;
    if (!isFirst) await lookForChanges();
    const version = versionOf(of);
    const isNew = version !== known;
    // Lists may lag behind what has changed: so they are looked at once more.
    const isWanted = isNew || isLate || Date.now() - lookedAt >= ANYHOW_MS;
    known = version;
    isLate = isNew && !isFirst;
    if (isWanted) lookedAt = Date.now();
    return isWanted;
  };
}

interface Once<Data> {
  readonly data?: Data;
  readonly error?: Error;
}

/** What is asked for once, as the lists of a form are. */
export function useOnce<Data>(load: () => Promise<Data>): Once<Data> {
  const [once, setOnce] = useState<Once<Data>>({});
  useEffect(() => {
    load().then(
      (data) => setOnce({ data }),
      (cause: unknown) => setOnce({ error: errorOf(cause) }),
    );
  }, []);
  return once;
}
