import { signal } from '@preact/signals';
import { errorOf } from '../api.ts';

interface Toast {
  readonly id: number;
  readonly text: string;
  readonly isFault: boolean;
}

const toasts = signal<readonly Toast[]>([]);
let last = 0;

function show(text: string, isFault: boolean): void {
  const toast = { id: ++last, text, isFault };
  toasts.value = [...toasts.value, toast];
  const close = () => {
    toasts.value = toasts.value.filter(({ id }) => id !== toast.id);
  };
  setTimeout(close, isFault ? 10_000 : 4_000);
}

export const tell = (text: string): void => show(text, false);

/** Does it and says so, or says why not. True where it was done. */
export async function attempt(act: () => Promise<unknown>, said?: string): Promise<boolean> {
  try {
    await act();
    if (said) tell(said);
    return true;
  } catch (error) {
    show(errorOf(error).message, true);
    return false;
  }
}

export function Toasts() {
  return (
    <div class="toasts" role="status" aria-live="polite">
      {toasts.value.map(({ id, text, isFault }) => (
        <p key={id} class={isFault ? 'toast bad' : 'toast'}>
          {text}
        </p>
      ))}
    </div>
  );
}
