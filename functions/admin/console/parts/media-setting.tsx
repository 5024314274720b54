import { signal } from '@preact/signals';
import { texts } from '../texts.ts';
import { CheckBox } from './form.tsx';

const LOADS = 'load-media';

/** Whether this browser fetches what others have sent without being asked to. */
export const loadsMedia = signal(isKept());

function isKept(): boolean {
  try {
    return localStorage.getItem(LOADS) === 'yes';
  } catch {
    // A browser may refuse to keep anything for a page.
    return false;
  }
}

function loadMedia(isWanted: boolean): void {
  loadsMedia.value = isWanted;
  try {
    localStorage.setItem(LOADS, isWanted ? 'yes' : 'no');
  } catch {
    // Then it lasts until the page is loaded anew.
  }
}

export function MediaSetting() {
  return (
    <div>
      <CheckBox label={texts.inbox.loadMedia} value={loadsMedia.value} onChange={loadMedia} />
      <small class="faint">{texts.inbox.loadMediaHint}</small>
    </div>
  );
}
