import { useEffect, useRef, useState } from 'preact/hooks';
import { workspace } from './api.ts';

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

/**
 * What `load` answers, asked anew while the page is seen: every 3 s while it is lively, else every 15 s, never when it is
 * hidden; what takes many calls goes slowly always. What comes back unchanged draws nothing. `key` says what is loaded: with another one it begins anew.
 */
export function useLive<Data>(key: string, load: () => Promise<Data>, pace: 'list' | 'slow' = 'list'): Live<Data> {
  const [state, setState] = useState<{ key: string; data?: Data; error?: Error }>({ key });
  const latest = useRef(load);
  latest.current = load;
  const asking = useRef(() => Promise.resolve());
  const chosen = workspace.value;
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let stopped = false;
    let drawn = '';
    let changedAt = 0;
    const ask = async () => {
      try {
        const data = await latest.current();
        const text = JSON.stringify(data);
        if (stopped || text === drawn) return;
        if (drawn !== '') changedAt = Date.now();
        drawn = text;
        setState({ key, data });
      } catch (cause) {
        drawn = '';
        const error = cause instanceof Error ? cause : new Error(String(cause));
        if (!stopped) setState((before) => ({ ...before, key, error }));
      }
    };
    const loop = async () => {
      clearTimeout(timer);
      if (document.visibilityState === 'hidden') return;
      await ask();
      const isLively = pace === 'list' && Date.now() - Math.max(changedAt, lastTouch) < LIVELY_MS;
      if (!stopped) timer = setTimeout(loop, isLively ? FAST_MS : SLOW_MS);
    };
    asking.current = loop;
    document.addEventListener('visibilitychange', loop);
    void loop();
    return () => {
      stopped = true;
      clearTimeout(timer);
      document.removeEventListener('visibilitychange', loop);
    };
  }, [key, chosen, pace]);
  // What was loaded for another key is not shown under this one.
  const { data, error } = state.key === key ? state : { data: undefined, error: undefined };
  return { data, error, again: () => asking.current() };
}
