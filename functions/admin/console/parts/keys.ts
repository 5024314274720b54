import { useLayoutEffect, useRef } from 'preact/hooks';

/** Whether a key belongs to what is being written, or to the browser: such a key is no command of ours. */
export function isWriting({ target, ctrlKey, metaKey, altKey }: KeyboardEvent): boolean {
  // One that has just been closed has the focus until the browser draws anew.
  const isField = target instanceof HTMLElement && target.matches('input, textarea, select, dialog[open] *');
  return isField || ctrlKey || metaKey || altKey;
}

/** Calls for each key that is pressed, wherever the focus is. */
export function useKeys(onKey: (event: KeyboardEvent) => void): void {
  const latest = useRef(onKey);
  latest.current = onKey;
  // Before the page is seen: a key that is pressed at its sight counts.
  useLayoutEffect(() => {
    const press = (event: KeyboardEvent) => latest.current(event);
    addEventListener('keydown', press);
    return () => removeEventListener('keydown', press);
  }, []);
}
