import { currentChat } from '#lib/chats/chat.ts';
import { introduce, nameOf, namesIn, namesKept, namesOfRecipient, phonesAmong } from '#lib/chats/people.ts';
import type { Connection, MessageEvent } from '#lib/domain/event.ts';
import { chatKindOfJid, phoneOfJid } from '#lib/domain/person.ts';
import { known } from '#lib/domain/schema.ts';
import { addressesIn, fileTrace, saidIn, tracesOf } from '#lib/domain/send/evidence.ts';
import { STATUSES } from '#lib/domain/send/part.ts';
import { touchState, unheard } from '#lib/inbox/delivery-state.ts';
import type { EventRecord } from '#lib/inbox/event-item.ts';
import { isCertainlyOf } from '#lib/outbox/resolve.ts';
import { sendKey } from '#lib/store/keys.ts';
import { withRetries } from '#lib/store/retry.ts';
import { type Item, type Key, type Store, StoreUnavailable, setIfAbsent } from '#lib/store/store.ts';
import { accountsOf } from '#lib/tenants/account.ts';
import { clearHold, hold, type ResumePorts } from './account.ts';
import type { SendingConfig } from './config.ts';
import { type Echo, echoMarks, type Look, type Looked, lookFor, marksUnder } from './evidence.ts';
import { readProviderMessage, readSend, type Send } from './items.ts';
import { onStatus, settleLate } from './outcome.ts';
import { sightRecipient, threadIn } from './sent-event.ts';
import type { SettlingPorts } from './settle.ts';

/** What sending learns from what providers report. Safe to repeat, like everything that follows from an event. */
export interface SendReports {
  /** `state`: all that is known of the message's delivery, this event included. `account`: as the provider names it. */
  status(record: EventRecord, key: Key, state: Item, account: string | undefined): Promise<void>;
  /** A message that went out, through the hub or past it. `names`: of whom it went to, as far as anybody knows. */
  outbound(
    record: EventRecord,
    event: MessageEvent,
    key: Key,
    account: string | undefined,
    names: readonly string[],
  ): Promise<void>;
  connection(record: EventRecord, connection: Connection, account: string | undefined): Promise<void>;
}

/** A report that is older says nothing about now: a provider delivers late, and an operator may read it again. */
const CURRENT_MS = 10 * 60_000;
const STOPS: readonly Connection['state'][] = ['disconnected', 'restricted', 'blocked'];

export type ReportPorts = ResumePorts & SettlingPorts;

/** For providers through which the hub sends. */
export function sendReports(ports: ReportPorts, config: SendingConfig): SendReports {
  const { store, clock } = ports;
  const isCurrent = ({ orderedAt }: EventRecord) => clock.now() - orderedAt < CURRENT_MS;
  const hubAccount = (record: EventRecord, account: string | undefined) => accountOf(ports, record, account);
  return {
    status: later(async (record, key, state, account) => {
      const { event } = record;
      if (event.kind !== 'status' || !STATUSES.some((status) => status === event.status.state)) return;
      await onStatus(ports, key, readProviderMessage(state), config);
      if (state.send === undefined) await meetEcho(store, state.chat, record, event.status.chatId);
      else await meet(store, state.send, event.status.chatId);
      if (!event.status.restricted || !isCurrent(record)) return;
      const id = await hubAccount(record, account);
      if (id !== undefined) await hold(ports, id, event.status.detail ?? 'restricted by the provider', config);
    }),
    outbound: later((...report) => onOutbound(ports, config, report)),
    connection: later(async (record, { state, detail }, account) => {
      const stops = STOPS.includes(state);
      if ((!stops && state !== 'connected') || !isCurrent(record)) return;
      const id = await hubAccount(record, account);
      if (id === undefined) return;
      if (stops) await hold(ports, id, detail ?? state, config);
      else await clearHold(ports, id, config);
    }),
  };
}

/** The event is stored and understood, whatever goes wrong from here on: its delivery is taken up again from the queue. */
const later =
  <Report extends readonly unknown[]>(reporting: (...report: Report) => Promise<void>) =>
  (...report: Report): Promise<void> =>
    reporting(...report).catch((cause: unknown) => {
      throw cause instanceof StoreUnavailable ? cause : new StoreUnavailable('conflict', { cause });
    });

/**
 * A message of which a provider's webhook tells, and of which nobody knows yet that it is one of ours. It settles the
 * attempt that it can only belong to, and answers its send. Where there is none, or more than one, it is marked for
 * whoever looks later. `by`: the account that it went out through, as the hub knows it. `state`: of the message, as it was
 * just read.
 */
async function onEcho(
  given: SettlingPorts,
  by: Pick<Look, 'workspace' | 'provider' | 'account'>,
  echo: Echo,
  state: Item | undefined,
  config: SendingConfig,
): Promise<Send | undefined> {
  const ports = withRetries(given, config);
  const { store, clock } = ports;
  const look = { ...by, scopes: [], traces: echo.traces, sightings: [echo] };
  const first = await lookFor(store, look, clock.now(), config);
  const settled = await settleWhere(ports, first, state);
  if (settled) return settled;
  await store.writeMany(echoMarks(by.account, echo, clock.now(), config));
  // Whoever came to be unknown in between may not have seen the mark yet. He stood in the queue at the first look.
  if (first.isQueueEmpty) return undefined;
  const { unknown } = await marksUnder(store, by.account, echo.traces, clock.now());
  if (unknown.length === 0) return undefined;
  return settleWhere(ports, await lookFor(store, look, clock.now(), config), state);
}

async function settleWhere(ports: SettlingPorts, { found: [only] }: Looked, state: Item | undefined) {
  if (!only) return undefined;
  const { attempt, sighting } = only;
  const { providerId, state: told } = sighting;
  const ending = { kind: 'sent', providerId, inferred: true, ...known({ state: told }) } as const;
  const asRead = { head: attempt, unheard: state && unheard(state, ports.clock.now() / 1000) };
  return settleLate(ports, attempt, attempt.since, ending, asRead);
}

async function onOutbound(
  ports: ReportPorts,
  config: SendingConfig,
  [record, event, key, account, names]: Parameters<SendReports['outbound']>,
): Promise<void> {
  const { store } = ports;
  if (event.message.via === 'phone') return;
  // From here on the history of the chat shows this event, and not the one that the send has written.
  const item = await touchState(
    store,
    key,
    [...['echo', 'fed'].map((name) => setIfAbsent(name, event.id)), setIfAbsent('chat', event.chatId)],
    record,
  );
  const other = numberless(event, names);
  if (item?.send !== undefined) return meet(store, item.send, other);
  const said = saidIn(event.message);
  if (!said) return;
  const id = await accountOf(ports, record, account);
  if (id === undefined) return;
  const { workspace, provider, message } = event;
  const echo = {
    providerId: message.id,
    traces: tracesOf(id, said, addressesIn(message, names)),
    file: fileTrace(id, said),
    at: record.orderedAt,
    state: key.pk,
  };
  const settled = await onEcho(ports, { workspace, provider, account: id }, echo, item, config);
  if (settled) await acquaint(store, settled, other);
}

/** The chat's id, if it is with one person and tells no number by which that is found. */
function numberless({ message: { chat } }: MessageEvent, names: readonly string[]): string | undefined {
  const known = [nameOf(chat.id) ?? '', ...names];
  return chat.kind === 'individual' && phonesAmong(known).length === 0 ? chat.id : undefined;
}

/** `send`: as the state of the message names it. */
async function meet(store: Store, send: unknown, chat: string | undefined): Promise<void> {
  if (typeof send !== 'string' || !isNumberless(chat)) return;
  const item = await store.get(sendKey(send), { consistent: true });
  if (item) await acquaint(store, readSend(item), chat);
}

const isNumberless = (chat: string | undefined) => chat !== undefined && phoneOfJid(chat) === undefined;

/** The provider calls the chat of a message of ours by an id that was not what we sent it to: both are the same person's. */
async function acquaint(store: Store, send: Send, chat: string | undefined): Promise<void> {
  if (chat === undefined || !isNumberless(chat)) return;
  const { erased, recipient, createdAt, workspace } = send;
  const thread = threadIn(recipient);
  const ours = namesOfRecipient(recipient);
  const theirs = namesIn({ id: chat, kind: chatKindOfJid(chat) });
  if (!thread || erased || phonesAmong(ours).length === 0 || theirs.every((name) => ours.includes(name))) return;
  const present = await currentChat(store, workspace, thread.chat);
  if (present && theirs.every((name) => namesKept(present).includes(name))) return;
  await sightRecipient(store, send, createdAt, { names: theirs });
}

/** The same of what another program has sent: its echo has left in the state of the message which chat it stands in. */
async function meetEcho(store: Store, id: unknown, { event }: EventRecord, told: string | undefined): Promise<void> {
  if (typeof id !== 'string' || told === undefined || phoneOfJid(told) !== undefined) return;
  const chat = await currentChat(store, event.workspace, id);
  const kind = chatKindOfJid(told);
  if (chat?.kind !== 'individual' || kind !== 'individual') return;
  const { workspace, provider } = event;
  const account = { accountKey: String(chat.accountKey), ...known({ accountId: event.accountId }) };
  await introduce(store, chat, namesIn({ id: told, kind }), { workspace, provider, ...account });
}

/** The hub's account: the webhook's own, or the one that the provider's name for it leads to. */
async function accountOf({ store }: ResumePorts, { event }: EventRecord, name: string | undefined) {
  const { workspace, provider, accountId } = event;
  if (accountId !== undefined || name === undefined) return accountId;
  const accounts = await accountsOf(store, workspace);
  const fitting = accounts.filter(
    (account) => account.provider === provider && isCertainlyOf({ accountKey: name }, account),
  );
  return fitting.length === 1 ? fitting[0]?.id : undefined;
}
