import { listed, type Stage } from '../lists/walk.ts';
import { readSend } from '../sending/items.ts';
import { sendListKey } from '../sending/keys.ts';
import { emptySend } from './empty-send.ts';
import type { Erasing } from './erasing.ts';

/** What was sent to the person, or about them. */
export function sendStage(erasing: Erasing): Stage {
  const { store, workspace, mentions } = erasing;
  return {
    name: '3-sends',
    ...listed(store, (shard) => sendListKey(workspace, shard)),
    visit: async (item) => {
      if (mentions(JSON.stringify(item))) await emptySend(erasing, readSend(item).messageId);
      return true;
    },
  };
}
