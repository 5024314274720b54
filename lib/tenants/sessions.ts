import * as v from 'valibot';
import type { Clock, Random } from '#lib/domain/ports.ts';
import { itemReader } from '#lib/store/items.ts';
import { sessionKey, triesKey } from '#lib/store/keys.ts';
import { absent, add, any, compare, del, exists, isLive, put, type Store, set, update } from '#lib/store/store.ts';

/**
 * A browser that was signed in with a key. Only the hash of its token is kept, with the hash of the key: whoever asks
 * looks the key up each time, so that a session ends with its key, in the same moment.
 */
const Session = v.object({
  keyHash: v.string(),
  workspace: v.string(),
  /** A link signs in once, and opens nothing by itself. */
  use: v.picklist(['session', 'link']),
  /** Seconds since the epoch. */
  expiresAt: v.number(),
});
export type Session = v.InferOutput<typeof Session>;

const SECONDS = { session: 12 * 3600, link: 600 };
/** Of one address in a minute; the keys have 256 bits, so this is for the log and the bill. */
const WRONG_KEYS = 5;

interface Ports {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
}

const readSession = itemReader(Session);
const secondsOf = (clock: Clock) => Math.floor(clock.now() / 1000);

/** `token` is told this once. */
export async function openSession(
  { store, clock, random }: Ports,
  use: Session['use'],
  owner: Pick<Session, 'keyHash' | 'workspace'>,
): Promise<Session & { readonly token: string }> {
  const token = Buffer.from(random.bytes(32)).toString('base64url');
  const session = { ...owner, use, expiresAt: secondsOf(clock) + SECONDS[use] };
  const { done } = await store.write(put({ ...sessionKey(token), ...session }, absent()));
  if (!done) throw new Error('a token that was just made up is taken');
  return { ...session, token };
}

/** The session of a token, while it lasts. */
export async function findSession({ store, clock }: Omit<Ports, 'random'>, token: string) {
  const item = await store.get(sessionKey(token), { consistent: true });
  if (!item || !isLive(item, secondsOf(clock))) return undefined;
  const session = readSession(item);
  return session.use === 'session' ? session : undefined;
}

/** Whose a link is, which opens nothing from now on: of two that follow it at once, one gets in. */
export async function useLink({ store, clock }: Omit<Ports, 'random'>, token: string) {
  const item = await store.get(sessionKey(token), { consistent: true });
  if (!item || !isLive(item, secondsOf(clock))) return undefined;
  const link = readSession(item);
  if (link.use !== 'link') return undefined;
  const { done } = await store.write(del(sessionKey(token), exists()));
  return done ? link : undefined;
}

export async function closeSession(store: Store, token: string): Promise<void> {
  await store.write(del(sessionKey(token)));
}

/** A try counts before it is judged, so that many at once are no way around the bound; who was right takes it back. */
export async function mayTry({ store, clock }: Omit<Ports, 'random'>, address: string): Promise<boolean> {
  const changes = [add('tries', 1), set('expiresAt', secondsOf(clock) + 120)];
  const room = any(absent(), compare('tries', '<', WRONG_KEYS));
  return (await store.write(update(triesKey(address, clock.now()), changes, room))).done;
}

export async function wasRight({ store, clock }: Omit<Ports, 'random'>, address: string): Promise<void> {
  await store.write(update(triesKey(address, clock.now()), [add('tries', -1)], exists()));
}
