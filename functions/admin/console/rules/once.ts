import { useEffect, useState } from 'preact/hooks';

/** What is asked for once, as the lists of a form are; undefined until it is there, and where it cannot be had. */
export function useOnce<Data>(load: () => Promise<Data>): Data | undefined {
  const [data, setData] = useState<Data>();
  useEffect(() => {
    load().then(setData, () => undefined);
  }, []);
  return data;
}
