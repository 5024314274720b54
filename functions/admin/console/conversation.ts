import type { Event, MessageEvent, Send } from './api.ts';

/** A message with what became of it: each is shown in its place, and not as a message of its own. */
export interface Told {
  readonly event: MessageEvent & { readonly message: { readonly quoted?: Quoted } };
  /** What it was changed to, the last one last. */
  readonly edits: readonly { readonly text: string; readonly at: string }[];
  readonly deletedAt?: string;
  readonly reactions: readonly Reactions[];
  /** Of a poll: who has chosen what so far. */
  readonly votes?: readonly { readonly option: string; readonly voters: readonly string[] }[];
  /** Where it went out through the hub. */
  readonly send?: Send;
}

export interface Reactions {
  readonly emoji: string;
  readonly count: number;
  /** As far as it is told. */
  readonly who: readonly string[];
}

export type Part = Send['parts'][number];
export type Quoted = NonNullable<MessageEvent['message']['quoted']> & { readonly isOurs?: true };

type Shown =
  | { readonly kind: 'message'; readonly told: Told }
  /** A part of a send that is no message: it waits, or did not go out. */
  | { readonly kind: 'send'; readonly send: Send; readonly part: Part; readonly quoted?: Quoted }
  /** A call, something that the app tells, or what became of a message that is not here. */
  | { readonly kind: 'line'; readonly event: Event };

export type Entry = Shown & {
  readonly id: string;
  readonly at: string;
  /** The first of a day tells it. */
  readonly day?: string;
  /** Whoever wrote the one before wrote this one as well. */
  readonly goesOn?: boolean;
};

/** What happened in a conversation, oldest first, as it is to be shown. */
export function conversationOf(events: readonly Event[], sends: readonly Send[]): readonly Entry[] {
  const ordered = events.toSorted((a, b) => (a.occurredAt < b.occurredAt ? -1 : 1));
  const messages = new Map(ordered.filter(isMessage).map((event) => [event.message.id, event]));
  const changes = changesIn(ordered);
  const withWords = quotes(messages);
  const sendOf = new Map(sends.map((send) => [send.messageId, send]));
  const entries = ordered.flatMap((event): Entry[] => {
    const { id, occurredAt: at } = event;
    const target = targetOf(event);
    if (event.kind === 'reaction') return [];
    if (target !== undefined && messages.has(target)) return [];
    if (event.kind === 'message' && target === undefined && event.message.content.type !== 'system') {
      const send = sendOf.get(event.sendId ?? '');
      const { quoted } = event.message;
      const message = { ...event.message, ...(quoted && { quoted: withWords(quoted) }) };
      const told = { event: { ...event, message }, ...changes(event.message.id), ...(send && { send }) };
      return [{ kind: 'message', id, at, told }];
    }
    return event.kind === 'message' || event.kind === 'call' ? [{ kind: 'line', id, at, event }] : [];
  });
  const waiting = sends.flatMap((send) =>
    send.parts.flatMap((part, index): Entry[] => {
      if (!isOpen(part) || messages.has(part.providerMessageId ?? '')) return [];
      const { quotedMessageId: of } = part;
      const quoted = of === undefined ? {} : { quoted: withWords({ id: of }) };
      return [{ kind: 'send', id: `${send.messageId} ${index}`, at: send.createdAt, send, part, ...quoted }];
    }),
  );
  return withBreaks([...entries, ...waiting].sort((a, b) => Number(isToCome(a)) - Number(isToCome(b)) || inTime(a, b)));
}

/**
 * Some providers tell of a quoted message its id alone, and so does a reply of ours: its words stand further up. So does the
 * name of who wrote it, of whom a quote has the number alone. One that is not here is ours where its number is.
 */
function quotes(messages: ReadonlyMap<string, MessageEvent>) {
  const numbers = new Set([...messages.values()].map(({ message }) => message.account.phone));
  return (quoted: Quoted): Quoted => {
    const found = messages.get(quoted.id)?.message;
    const sender = quoted.sender?.phone;
    const isOurs = found ? found.direction === 'outbound' : sender !== undefined && numbers.has(sender);
    const words = found ? { content: found.content, ...quoted, sender: { ...found.sender, ...quoted.sender } } : quoted;
    return { ...words, ...(isOurs && { isOurs }) };
  };
}

const inTime = (a: Entry, b: Entry): number => (a.at < b.at ? -1 : 1);
/** What waits will stand behind all that is there. */
const isToCome = (entry: Entry): boolean =>
  entry.kind === 'send' && (entry.part.state === 'queued' || entry.part.state === 'sending');

const isMessage = (event: Event): event is MessageEvent => event.kind === 'message';

/** What went out stands in the conversation as a message. */
const isOpen = ({ state }: Part): boolean => !['sent', 'delivered', 'read'].includes(state);

/** The message that an event changes. */
function targetOf(event: Event): string | undefined {
  if (event.kind !== 'message') return undefined;
  const { content } = event.message;
  if (content.type === 'edit' || content.type === 'delete') return content.of ?? '';
  return content.type === 'poll_vote' ? content.of : undefined;
}

/** By the provider's id of a message. `events` are in their order: the later one counts. */
function changesIn(events: readonly Event[]) {
  const edits = new Map<string, { text: string; at: string }[]>();
  const deleted = new Map<string, string>();
  const votes = new Map<string, Told['votes']>();
  const reactions = new Map<string, Extract<Event, { kind: 'reaction' }>[]>();
  for (const event of events) {
    if (event.kind === 'reaction') {
      const { messageId } = event.reaction;
      reactions.set(messageId, [...(reactions.get(messageId) ?? []), event]);
    }
    const content = event.kind === 'message' ? event.message.content : undefined;
    const of = targetOf(event);
    if (content === undefined || of === undefined) continue;
    if (content.type === 'edit' && content.text !== undefined) {
      edits.set(of, [...(edits.get(of) ?? []), { text: content.text, at: event.occurredAt }]);
    }
    if (content.type === 'delete') deleted.set(of, event.occurredAt);
    if (content.type === 'poll_vote') votes.set(of, content.votes);
  }
  return (id: string) => {
    const deletedAt = deleted.get(id);
    const cast = votes.get(id);
    return {
      edits: edits.get(id) ?? [],
      reactions: reactionsNow(reactions.get(id) ?? []),
      ...(deletedAt !== undefined && { deletedAt }),
      ...(cast && { votes: cast }),
    };
  };
}

/** Everybody has one reaction, their last. Where the provider counts them all, that counts. */
function reactionsNow(events: readonly Extract<Event, { kind: 'reaction' }>[]): readonly Reactions[] {
  const byPerson = new Map<string, { emoji: string | undefined; name: string }>();
  for (const { reaction } of events) {
    const { sender, direction, removed, emoji } = reaction;
    const name = sender.contactName ?? sender.name ?? sender.phone ?? '';
    const person = direction === 'outbound' ? 'us' : (sender.phone ?? sender.id ?? name);
    byPerson.set(person, { emoji: removed ? undefined : emoji, name });
  }
  const given = Map.groupBy(byPerson.values(), ({ emoji }) => emoji);
  const whoGave = (emoji: string) => (given.get(emoji) ?? []).flatMap(({ name }) => (name === '' ? [] : [name]));
  const counted =
    events.at(-1)?.reaction.tally ??
    [...given].flatMap(([emoji, people]) => (emoji === undefined ? [] : [{ emoji, count: people.length }]));
  return counted.flatMap(({ emoji, count }) => (count > 0 ? [{ emoji, count, who: whoGave(emoji) }] : []));
}

function withBreaks(entries: readonly Entry[]): readonly Entry[] {
  let day = '';
  let author: string | undefined;
  return entries.map((entry) => {
    const today = dayOf(entry.at);
    const writes = authorOf(entry);
    const isNew = today !== day;
    const goesOn = !isNew && writes !== undefined && writes === author;
    day = today;
    author = writes;
    return { ...entry, ...(isNew && { day: today }), ...(goesOn && { goesOn }) };
  });
}

const dayOf = (at: string): string =>
  new Date(at).toLocaleDateString(undefined, { weekday: 'long', day: 'numeric', month: 'long' });

function authorOf(entry: Entry): string | undefined {
  if (entry.kind !== 'message') return entry.kind === 'send' ? 'us' : undefined;
  const { direction, sender } = entry.told.event.message;
  return direction === 'outbound' ? 'us' : (sender.phone ?? sender.id ?? sender.name ?? 'them');
}

/** Why something did not go out, or get there, as far as anybody has said. */
export function reasonIn({ parts, history }: Pick<Send, 'parts' | 'history'>): string | undefined {
  const failed = history.findLast(({ state, detail }) => state === 'failed' && detail !== undefined);
  return parts.find(({ error }) => error !== undefined)?.error ?? failed?.detail;
}
