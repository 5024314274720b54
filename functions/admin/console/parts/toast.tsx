import { effect, signal } from '@preact/signals';
import { X } from 'lucide-preact';
import { address } from '../address.ts';
import { errorOf } from '../api.ts';
import { texts } from '../texts.ts';
import { Fault } from './small.tsx';

interface Toast {
  readonly said: string | Error;
}

const toasts = signal<readonly Toast[]>([]);
const close = (gone: Toast) => {
  toasts.value = toasts.value.filter((toast) => toast !== gone);
};

/** Elsewhere, what went wrong here only stands in the way. */
effect(() => {
  if (address.value) toasts.value = toasts.peek().filter(({ said }) => typeof said === 'string');
});

/** About ten characters a second are read, and a toast is seen first. */
const readingMs = (said: string) => Math.max(4_000, said.length * 100);

/** What went wrong stays until it is closed or the page is left: it is to be read, and its id copied. */
function show(said: string | Error): void {
  const toast = { said };
  toasts.value = [...toasts.value, toast];
  if (typeof said === 'string') setTimeout(close, readingMs(said), toast);
}

export const tell = (text: string): void => show(text);

/** Does it and says so, or says why not. True where it was done. */
export async function attempt(act: () => Promise<unknown>, said?: string): Promise<boolean> {
  try {
    await act();
    if (said) tell(said);
    return true;
  } catch (error) {
    show(errorOf(error));
    return false;
  }
}

export function Toasts() {
  return (
    <div class="stack tight toasts" role="status" aria-live="polite">
      {toasts.value.map((toast, index) => (
        <div key={index} class={`toast ${typeof toast.said === 'string' ? '' : 'wrong'}`}>
          <p>{typeof toast.said === 'string' ? toast.said : <Fault error={toast.said} />}</p>
          {typeof toast.said !== 'string' && (
            <button type="button" class="plain" aria-label={texts.close} onClick={() => close(toast)}>
              <X aria-hidden="true" />
            </button>
          )}
        </div>
      ))}
    </div>
  );
}
