import { useEffect, useState } from 'preact/hooks';
import { errorOf } from './api.ts';

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
