import type { MessageEvent } from '#lib/domain/event.ts';
import { toIso } from '#lib/domain/time.ts';
import { shelfOf } from '../events/list.ts';
import { newestFirst } from '../lists/newest-first.ts';
import { stateKey } from '../receiving/delivery-state.ts';
import { eventOf } from '../receiving/event-item.ts';
import type { Part, Send } from '../sending/items.ts';
import type { Evidence } from '../sending/ports.ts';
import type { Item, Store } from '../store.ts';
import { contentOf, isFor } from './echo.ts';

/** A provider's clock may be behind ours, and its webhook may take its time. */
const EARLIER_MS = 60_000;
const LATER_MS = 15 * 60_000;
const MOST = 200;

/**
 * What has come in already is asked before the provider is: an echo may arrive while its send still counts as being
 * sent, when it settles nothing by itself.
 */
export function withOwnEvidence(store: Store, provider: Evidence): Evidence {
  return {
    find: async (send, index) => {
      const part = send.parts[index];
      const echoes = part?.intentAt === undefined ? [] : await echoesOf(store, send, part, part.intentAt);
      const [only, ...others] = new Set(echoes);
      if (only === undefined) return provider.find(send, index);
      return others.length === 0 ? { kind: 'accepted', providerId: only } : { kind: 'none' };
    },
  };
}

/** The provider's ids of messages that fit the part and are known to be no other's. */
async function echoesOf(store: Store, send: Send, part: Part, since: number): Promise<string[]> {
  const accepts = ({ kind, direction, provider }: Item) =>
    kind === 'message' && direction === 'outbound' && provider === send.provider;
  const { entries } = await newestFirst(store, shelfOf(send.workspace, {}), {
    from: toIso(since - EARLIER_MS),
    before: toIso(since + LATER_MS),
    limit: MOST,
    accepts,
  });
  const found = await Promise.all(entries.map((entry) => echoAt(store, entry, send, part)));
  return found.flatMap((id) => id ?? []);
}

async function echoAt(store: Store, { pk, sk }: Item, send: Send, part: Part): Promise<string | undefined> {
  const head = await store.get({ pk, sk }, { consistent: true });
  const event = head && (await eventOf(store, head));
  if (event?.kind !== 'message' || !fits(event, send, part)) return undefined;
  const key = stateKey(send, event.message.id);
  // Of another account, or another part's by now.
  if (head?.stateKey !== key.pk) return undefined;
  const state = await store.get(key, { consistent: true });
  return state?.send === undefined ? event.message.id : undefined;
}

function fits({ message, sendId }: MessageEvent, send: Send, part: Part): boolean {
  if (sendId !== undefined || message.via === 'phone' || !isFor(message)(send.recipient)) return false;
  const content = contentOf(message);
  if (!content) return false;
  return part.kind === 'text' ? content.text === part.text : content.fileName === part.name;
}
