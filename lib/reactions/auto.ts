import * as v from 'valibot';
import type { Event, MessageEvent } from '#lib/domain/event.ts';
import { sha256 } from '#lib/domain/ids.ts';
import { isSamePhone } from '#lib/domain/person.ts';
import type { Clock } from '#lib/domain/ports.ts';
import { textOf } from '#lib/domain/reaction/condition.ts';
import {
  type AutoState,
  MUTED_MS,
  mayAnswer,
  OWN_ACCOUNT,
  type Question,
  type Said,
  type Verdict,
} from '#lib/domain/reaction/guard.ts';
import { Instant, known, optional } from '#lib/domain/schema.ts';
import { toIso } from '#lib/domain/time.ts';
import { listEvents } from '#lib/inbox/events.ts';
import { findChats } from '#lib/outbox/resolve.ts';
import { readSend } from '#lib/sender/items.ts';
import { itemReader } from '#lib/store/items.ts';
import {
  autoKey,
  autoMinuteKey,
  chatKey,
  MUTED_PREFIX,
  mutedKey,
  rulesPausedKey,
  sendKey,
  workspacePartition,
} from '#lib/store/keys.ts';
import { getAll, queryAll } from '#lib/store/query.ts';
import { AGAIN, retryOnConflict, type StorePorts } from '#lib/store/retry.ts';
import {
  absent,
  add,
  del,
  equal,
  exists,
  type Item,
  type Key,
  newTransaction,
  put,
  remove,
  type Store,
  set,
  update,
} from '#lib/store/store.ts';
import { accountsOf } from '#lib/tenants/account.ts';
import type { Rule } from './rule.ts';

/** What a chat remembers of the answers that rules gave in it. */
const State = v.object({
  version: v.number(),
  answers: v.pipe(
    v.string(),
    v.parseJson(),
    v.array(v.object({ rule: v.string(), event: v.string(), at: v.number() })),
  ),
  mutedUntil: v.exactOptional(v.number()),
  mutedBy: v.exactOptional(v.string()),
});
const readState = itemReader(State);

/** An event is erased of which the chat's state may speak: its id goes, and what was answered still counts. */
export async function forgetEvent(store: Store, chat: string, event: string): Promise<void> {
  return retryOnConflict(`the answers in ${chat}`, async () => {
    const item = await store.get(autoKey(chat), { consistent: true });
    const state = item && readState(item);
    if (!state || (state.mutedBy !== event && state.answers.every((answer) => answer.event !== event)))
      return undefined;
    const answers = state.answers.map((answer) => (answer.event === event ? { ...answer, event: FORGOTTEN } : answer));
    const changes = [
      ...[set('answers', JSON.stringify(answers)), add('version', 1)],
      ...(state.mutedBy === event ? [set('mutedBy', FORGOTTEN)] : []),
    ];
    const { done } = await store.write(update(autoKey(chat), changes, equal('version', state.version)));
    return done ? undefined : AGAIN;
  });
}

const FORGOTTEN = 'erased';

/** Under which key the message of an action is accepted once. */
export const onceKey = (rule: string, event: string, index: number): string => `rule:${rule}:${event}:${index}`;

/** What makes up the event that tells of a chat that a rule took for a machine's. */
export const mutedIdentity = (rule: string, event: string): readonly string[] => [rule, event];

/** What a chat remembers of rules, and what a workspace counts of them. The item changes under a condition before anything is sent. */

const LOOKED_AT = 30;
const KEPT_SECONDS = 31 * 86_400;
const MINUTE_MS = 60_000;
/** Rules of a workspace send so much in a minute at most; from there on all of them pause. */
export const MOST_A_MINUTE = 60;

export interface AutoPorts {
  readonly store: Store;
  readonly clock: Clock;
}

/** Words as people read them: case, width and blanks do not count. */
const wordsOf = (event: Event): string | undefined => {
  const text = textOf(event)?.normalize('NFKC').toLowerCase().replace(/\s+/g, ' ').trim();
  return text ? sha256(text) : undefined;
};

type Asked = Pick<Question, 'isReplay' | 'now'>;

/** Whether the rule may answer the chat of this message, and the chat's state as it was read. */
export async function askGuard({ store }: AutoPorts, rule: Rule, event: MessageEvent, asked: Asked) {
  const [item, said, isOwnAccount] = await Promise.all([
    store.get(autoKey(event.chatId), { consistent: true }),
    saidOfLate(store, event, asked.now),
    isOwn(store, event),
  ]);
  const kept = item && readState(item);
  const state: AutoState = {
    answers: kept?.answers ?? [],
    ...known({ mutedUntil: kept?.mutedUntil, mutedBy: kept?.mutedBy }),
  };
  const words = wordsOf(event);
  const question = {
    event,
    rule: rule.id,
    guard: rule.guard,
    state,
    said,
    isOwnAccount,
    ...asked,
    ...(words && { words }),
  };
  return { verdict: mayAnswer(question), version: kept?.version };
}

const ROUNDS = 4;

/**
 * Asks, and takes what it allows off the budget in the same step: of two rules at once, the second sees the first. Nothing is
 * given back where the message is refused after that: the rule's other messages for this event stand on the same entry, and
 * so does one that another run of it has sent meanwhile.
 */
export async function takeAnswer(ports: AutoPorts, rule: Rule, event: MessageEvent, asked: Asked): Promise<Verdict> {
  return retryOnConflict(
    `what ${rule.id} may answer`,
    async () => {
      const { verdict, version } = await askGuard(ports, rule, event, asked);
      const state = verdict.may ? verdict.state : verdict.mute;
      if (!state) return verdict;
      if (await keep(ports, event, state, version, asked.now)) {
        if (!verdict.may) await mute(ports, event, rule.id, verdict.why, asked.now);
        return verdict;
      }
      return AGAIN;
    },
    ROUNDS,
  );
}

async function keep(
  { store }: AutoPorts,
  { chatId, workspace }: MessageEvent,
  state: AutoState,
  version: number | undefined,
  now: number,
) {
  const item = {
    ...autoKey(chatId),
    workspace,
    version: (version ?? 0) + 1,
    answers: JSON.stringify(state.answers),
    ...known({ mutedUntil: state.mutedUntil, mutedBy: state.mutedBy }),
    expiresAt: Math.floor(now / 1000) + KEPT_SECONDS,
  };
  const { done } = await store.write(put(item, version === undefined ? absent() : equal('version', version)));
  return done;
}

/** Listed for the owner, until it is over or taken back. */
async function mute({ store }: AutoPorts, { chatId, workspace }: MessageEvent, rule: string, why: string, now: number) {
  const until = now + MUTED_MS;
  await store.write(
    put({
      ...mutedKey(workspace, chatId),
      chatId,
      rule,
      why,
      until: toIso(until),
      expiresAt: Math.floor(until / 1000),
    }),
  );
}

export async function unmute({ store }: AutoPorts, workspace: string, chatId: string): Promise<boolean> {
  const item = await store.get(autoKey(chatId), { consistent: true });
  if (item?.workspace !== workspace || item.mutedUntil === undefined) return false;
  await store.write(update(autoKey(chatId), [remove('mutedUntil'), remove('mutedBy'), add('version', 1)]));
  await store.write(del(mutedKey(workspace, chatId)));
  return true;
}

/** The newest messages of the chat. Lists may lag by a moment: the chat's own state, which does not, bounds what that can do. */
async function saidOfLate(store: Store, { workspace, chatId }: MessageEvent, now: number): Promise<readonly Said[]> {
  const { items } = await listEvents(
    store,
    workspace,
    { chat: chatId, kind: 'message' },
    { limit: LOOKED_AT },
    now / 1000,
  );
  const messages = items.flatMap((event) => (event.kind === 'message' ? [event] : []));
  const rules = await sentByRules(
    store,
    messages.flatMap(({ sendId }) => sendId ?? []),
  );
  return messages.map((event) => {
    const words = wordsOf(event);
    return {
      at: Date.parse(event.occurredAt),
      isOurs: event.message.direction === 'outbound',
      byRule: event.sendId !== undefined && rules.has(event.sendId),
      ...(words && { words }),
    };
  });
}

/** Which of these sends rules have made. */
async function sentByRules(store: Store, ids: readonly string[]): Promise<ReadonlySet<string>> {
  const sends = (await getAll(store, [...new Set(ids)].map(sendKey))).map(readSend);
  return new Set(sends.flatMap(({ messageId, webhook }) => (webhook?.startsWith('rule_') ? [messageId] : [])));
}

/**
 * Why an event may be the hub's own doing: a message that a rule makes of it could bring the next event of this kind, and
 * so on without end. Undefined where somebody else has done it.
 */
export async function ownDoing(store: Store, event: Event): Promise<string | undefined> {
  if (event.kind === 'message' && event.message.direction === 'inbound')
    return (await isOwn(store, event)) ? OWN_ACCOUNT : undefined;
  if (event.kind !== 'message' && event.kind !== 'status' && event.kind !== 'send') return undefined;
  const send = event.kind === 'send' ? event.send.messageId : event.sendId;
  if (send !== undefined) return (await sentByRules(store, [send])).has(send) ? 'a rule has sent it itself' : undefined;
  // The provider may tell of a message before it has answered the call that sent it.
  return event.kind === 'message' && event.message.via === 'phone' ? undefined : 'a rule may have sent it itself';
}

/** Two accounts of one workspace that write to each other are nobody's customers. */
async function isOwn(store: Store, { workspace, message: { sender } }: MessageEvent): Promise<boolean> {
  if (sender.phone === undefined) return false;
  return (await accountsOf(store, workspace)).some(({ phone }) => isSamePhone(phone, sender.phone));
}

/** The end of a number, by which it is known in any spelling: without its country, with `00` before it, or as an id. */
const endOf = (text: string): string => text.replace(/\D/g, '').replace(/^0+/, '').slice(-8);
const FEWEST_DIGITS = 7;

/** Whether a message would go to whoever wrote or reacted, or into the chat in which that stands, however these are named. */
export async function isToSender(store: Store, event: Event, to: Readonly<Record<string, string>>): Promise<boolean> {
  if (event.kind !== 'message' && event.kind !== 'reaction') return false;
  const { chatId, workspace } = event;
  const { sender, chat } = event.kind === 'message' ? event.message : event.reaction;
  if (to.chat_name !== undefined) {
    const named = await findChats(store, workspace, { kind: 'name', name: to.chat_name });
    return to.chat_name === chat.title || named.some((one) => one.chatId === chatId);
  }
  const whom = (to.phone ?? to.jid ?? to.chat_id ?? '').trim();
  const end = endOf(whom);
  const theirs = [sender.phone, sender.id, chat.phone, chat.id].flatMap((one) => one ?? []);
  const isEnd = end.length >= FEWEST_DIGITS && theirs.some((one) => endOf(one).endsWith(end));
  return isEnd || whom === chatId || theirs.includes(whom);
}

/** Where the messages of rules in this minute are counted. */
const minuteOf = (workspace: string, now: number): Key => autoMinuteKey(workspace, Math.floor(now / MINUTE_MS));

/** Counts one more message of rules in this minute, and answers how many there are now. */
export async function countMessage({ store, clock }: AutoPorts, workspace: string): Promise<number> {
  const now = clock.now();
  const key = minuteOf(workspace, now);
  const changes = [add('count', 1), set('expiresAt', Math.floor(now / 1000) + 3600)];
  const written = await store.write(update(key, changes), { returns: 'new' });
  return written.done && typeof written.item?.count === 'number' ? written.item.count : 0;
}

const KeptMuted = v.object({ chatId: v.string(), rule: v.string(), why: v.string(), until: Instant });
const readMuted = itemReader(KeptMuted);
export const Muted = v.object({
  ...KeptMuted.entries,
  since: Instant,
  title: optional(v.string(), 'Of the chat'),
  phone: optional(v.string(), 'Of the person with whom the chat is, where it is known'),
});

export async function listMuted({ store, clock }: AutoPorts, workspace: string) {
  const pk = workspacePartition(workspace);
  const items = await queryAll(store, { pk, prefix: MUTED_PREFIX, limit: 1000, consistent: true });
  const now = toIso(clock.now());
  const muted = items.map(readMuted).filter(({ until }) => until > now);
  const chats = await getAll(
    store,
    muted.map(({ chatId }) => chatKey(chatId)),
  );
  return muted.map((one) => {
    const { title, phone }: Partial<Item> = chats.find((chat) => chat.pk === chatKey(one.chatId).pk) ?? {};
    return {
      ...{ ...one, since: toIso(Date.parse(one.until) - MUTED_MS) },
      ...(typeof title === 'string' && { title }),
      ...(typeof phone === 'string' && { phone }),
    };
  });
}

export const Paused = v.object({ at: Instant, why: v.string() });
const readPaused = itemReader(Paused);

export async function pausedOf(store: Store, workspace: string) {
  const item = await store.get(rulesPausedKey(workspace), { consistent: true });
  return item && readPaused(item);
}

/** What they sent in this minute counts no more, or the next message would have them pause again. */
export async function resumeRules({ store, clock, random }: StorePorts, workspace: string): Promise<boolean> {
  const writes = [del(rulesPausedKey(workspace), exists()), del(minuteOf(workspace, clock.now()))];
  return (await store.transact(writes, newTransaction(random))).done;
}
