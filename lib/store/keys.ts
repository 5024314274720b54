import { keyPart, SHARDS, sha256, shardOf } from '#lib/domain/ids.ts';
import type { Epoch } from '#lib/domain/send/part.ts';
import { toIso } from '#lib/domain/time.ts';
import type { Key } from './store.ts';

/**
 * Where everything lies in the table: every key and every index partition is made here and nowhere else. A name that ends
 * in `Key` makes the key of an item, one in `Partition` what a query asks for. The indexes: gsi1 the lists of a workspace;
 * gsi2 messages of a chat, quarantine, reserved credits; gsi3 chats by the provider's id, what is due.
 */

const META = 'META';
/** The item that a partition is about, where others lie beside it. */
export const headKey = (pk: string): Key => ({ pk, sk: META });

/** Lists over a workspace are spread over shards. */
export const everyShard = (partitionOf: (shard: number) => string): readonly string[] =>
  Array.from({ length: SHARDS }, (_, shard) => partitionOf(shard));

// A workspace and what it has.

export const WORKSPACES = 'WORKSPACES';
export const workspaceKey = (workspace: string): Key => ({ pk: WORKSPACES, sk: workspace });
/**
 * What a workspace has, by id. An entry only points to a row elsewhere: state stands in one place. `FORMER`: webhooks,
 * endpoints and rules that are deleted while what was noted of their calls is still kept.
 */
export type Entry = 'ACCOUNT' | 'WEBHOOK' | 'FORMER' | 'KEY';
export const directoryKey = (workspace: string, entry: Entry, id: string): Key => ({
  pk: workspacePartition(workspace),
  sk: `${entry}#${id}`,
});
/** Where its entries lie. */
export const directoryRange = (workspace: string, entry: Entry) => ({
  pk: workspacePartition(workspace),
  from: `${entry}#`,
  before: `${entry}$`,
});
export const entryId = ({ sk }: Pick<Key, 'sk'>): string => sk.slice(sk.indexOf('#') + 1);

/** A line of a provider belongs to one account of a workspace. */
export const lineKey = (workspace: string, claim: string): Key => ({
  pk: workspacePartition(workspace),
  sk: `LINE#${claim}`,
});
export const apiKeyKey = (hash: string): Key => headKey(`KEY#${hash}`);
export const webhookKey = (tokenHash: string): Key => headKey(`HOOK#${tokenHash}`);

/** A browser that has signed in; and how often somebody at an address has tried to in this minute. */
export const sessionKey = (token: string): Key => headKey(`SESS#${sha256(token)}`);
export const triesKey = (address: string, at: number): Key => ({
  pk: `SESS#${sha256(`${address} ${Math.floor(at / 60_000)}`)}`,
  sk: 'TRIES',
});

export const attemptPartition = (webhook: string): string => `ATT#${webhook}`;
/** By time, so that writing one needs no counter and no other item. `unique` tells two of one millisecond apart. */
export const attemptKey = (webhook: string, at: string, unique: string): Key => ({
  pk: attemptPartition(webhook),
  sk: `${at}#${unique}`,
});

// What goes on in a workspace, for whoever looks at it.

/** How often something of each kind has changed. */
export const changesKey = (workspace: string): Key => ({ pk: workspacePartition(workspace), sk: 'CHANGES' });
/** How much there was of everything in an hour; `hour` in ISO 8601. */
export const counterKey = (workspace: string, hour: string): Key => ({
  pk: `STAT#${workspace}`,
  sk: hour.slice(0, 'YYYY-MM-DDThh'.length),
});
/** That nobody knows what has become of a send. */
export const UNKNOWN_PREFIX = 'UNKNOWN#';
export const unknownSendKey = (workspace: string, messageId: string): Key => ({
  pk: workspacePartition(workspace),
  sk: `${UNKNOWN_PREFIX}${messageId}`,
});

// What comes in.

export const eventKey = (id: string): Key => headKey(`EVT#${id}`);
/** A piece of an event's blob, beside its head. */
export const chunkKey = (pk: string, prefix: string, index: number): Key => ({
  pk,
  sk: `${prefix}#${String(index).padStart(3, '0')}`,
});
/** Later deliveries of an event, by the hash of their body. */
export const TOLD_PREFIX = 'TOLD#';
export const toldKey = (pk: string, hash: string): Key => ({ pk, sk: `${TOLD_PREFIX}${hash}` });
export const eventIdIn = ({ pk }: Pick<Key, 'pk'>): string => pk.slice('EVT#'.length);
export const eventPartition = (workspace: string, shard: number): string => `WS#${workspace}#EVT#${shard}`;
export const quarantinePartition = (workspace: string, shard: number): string => `WS#${workspace}#QUAR#${shard}`;
/** What was dismissed out of quarantine. */
export const dismissedPartition = (workspace: string, shard: number): string => `WS#${workspace}#DISMISSED#${shard}`;

/** One row for each type that was ever put into quarantine: how often, since when. */
export const quarantineCounters = (workspace: string): string => `QUAR#${workspace}`;
/** Stands for the type of a body in which no type can be found. */
export const UNREADABLE = 'unreadable';
export const quarantineCounter = (workspace: string, provider: string, type = UNREADABLE): Key => ({
  pk: quarantineCounters(workspace),
  sk: `${provider}#${keyPart(type)}`,
});

/** Whose message it is: message ids are unique within one account of a provider at best. */
export interface StateScope {
  readonly workspace: string;
  readonly provider: string;
  /** The account as the provider names it; empty where it does not say. */
  readonly scope: string;
}
/** The one item in which everything that is known of a message's delivery comes together, in whatever order it comes. */
export const stateKey = ({ workspace, provider, scope }: StateScope, messageId: string): Key =>
  headKey(`PID#${workspace}#${provider}#${keyPart(scope)}#${keyPart(messageId)}`);

/** The name of the account in such a key, as far as keys hold it. */
export const scopeIn = (pk: string, { workspace, provider }: Omit<StateScope, 'scope'>, messageId: string): string =>
  pk.slice(`PID#${workspace}#${provider}#`.length, -`#${keyPart(messageId)}`.length);

/** A piece of a delivery that came through the fallback queue. */
export const fallbackKey = (envelope: string, index: number): Key => ({
  pk: `FALLBACK#${envelope}`,
  sk: String(index).padStart(2, '0'),
});

// Chats.

export const chatKey = (id: string): Key => headKey(`CHAT#${id}`);
export const aliasKey = (id: string, alias: string): Key => ({ ...chatKey(id), sk: `ALIAS#${keyPart(alias)}` });
/** On gsi2: the messages of a chat. */
export const chatMessagesPartition = (id: string): string => chatKey(id).pk;
export const chatIdIn = (partition: string): string => partition.slice('CHAT#'.length);
export const chatListPartition = (workspace: string, shard: number): string => `WS#${workspace}#CHAT#${shard}`;
/** What a chat is found by (lib/chats/chat.ts): one row for each chat. */
export type FoundBy = 'WORD' | 'TITLE' | 'END';
export const findPartition = (workspace: string, by: FoundBy, text: string): string =>
  `FIND#${workspace}#${by}#${by === 'TITLE' ? sha256(text.toWellFormed()) : Array.from(text).slice(0, 1).join('')}`;
/** By its text, so that one prefix finds all that begin alike; a title by its hash alone. */
export const findKey = (workspace: string, by: FoundBy, text: string, chat: string): Key => ({
  pk: findPartition(workspace, by, text),
  sk: by === 'TITLE' ? chat : `${text}#${chat}`,
});
export const foundChat = ({ sk }: Pick<Key, 'sk'>): string => sk.slice(sk.lastIndexOf('#') + 1);
/** Where chats are found by the provider's id: the same id may stand in several accounts. */
export const providerChatPartition = (workspace: string, providerChatId: string): string =>
  `WS#${workspace}#PCHAT#${keyPart(providerChatId)}`;

// Sending.

const MS_DIGITS = 15;
const SEQ_DIGITS = 12;

export const accountKey = (account: string): Key => headKey(`ACC#${account}`);
export const probeKey = (account: string): Key => ({ pk: `ACC#${account}`, sk: 'PROBE' });

export const POINTER_PREFIX = 'Q#';
export const pointerKey = (account: string, seq: number, part: number): Key => ({
  pk: `ACC#${account}`,
  sk: `${POINTER_PREFIX}${String(seq).padStart(SEQ_DIGITS, '0')}#${part}`,
});

/** Where attempts and messages of the same words to the same person meet; `trace`: lib/domain/send/evidence.ts. */
export const tracePartition = (account: string, trace: string): string => `ECHO#${account}#${trace}`;
export const unknownKey = (account: string, trace: string, messageId: string, part: number): Key => ({
  pk: tracePartition(account, trace),
  sk: `U#${messageId}#${part}`,
});
export const ECHO_PREFIX = 'E#';
export const echoKey = (account: string, trace: string, providerId: string): Key => ({
  pk: tracePartition(account, trace),
  sk: `${ECHO_PREFIX}${keyPart(providerId)}`,
});

/** Who is known under a name (lib/chats/people.ts): one row for each chat. */
export const personPartition = (workspace: string, name: string): string => `PERSON#${workspace}#${keyPart(name)}`;
export const personKey = (workspace: string, name: string, chat: string): Key => ({
  pk: personPartition(workspace, name),
  sk: chat,
});

const SEND = 'MSG#';
export const sendKey = (messageId: string): Key => headKey(`${SEND}${messageId}`);
/** Undefined for a key of something else. */
export const sendIdIn = (pk: string): string | undefined => (pk.startsWith(SEND) ? pk.slice(SEND.length) : undefined);

export const idempotencyKey = (workspace: string, webhook: string, key: string): Key =>
  headKey(`IDEM#${workspace}#${webhook}#${key}`);

export const quotaKindKey = (workspace: string): Key => ({ pk: workspacePartition(workspace), sk: 'QUOTAKIND' });
export const QUOTA_PREFIX = 'QUOTA#';
export const quotaKey = (workspace: string, epoch: Epoch): Key => ({
  pk: workspacePartition(workspace),
  sk: `${QUOTA_PREFIX}${epoch}`,
});
export const auditKey = (workspace: string): Key => ({ pk: workspacePartition(workspace), sk: 'AUDIT' });
/** What the last one found that came to its end. */
export const auditedKey = (workspace: string): Key => ({ pk: workspacePartition(workspace), sk: 'AUDITED' });
export const LEDGER_PREFIX = 'LEDGER#';
export const ledgerKey = (workspace: string, at: number, id: string): Key => ({
  pk: workspacePartition(workspace),
  sk: `${LEDGER_PREFIX}${toIso(at)}#${id}`,
});

export const sendListKey = (workspace: string, shard: number): string => `WS#${workspace}#SEND#${shard}`;
export const sendListing = (workspace: string, messageId: string, at: number) => ({
  gsi1pk: sendListKey(workspace, shardOf(messageId)),
  gsi1sk: `${toIso(at)}#${messageId}`,
});

/**
 * The feed of a workspace: a row for each event, in the order in which they were stored. One partition takes 1,000 rows
 * a second, and a reader asks for all of them each time: so as many as a workspace's lists have.
 */
export const feedPartition = (workspace: string, shard: number): string => `FEED#${workspace}#${shard}`;
/** `storedAt` in ISO 8601. */
export const feedKey = (workspace: string, storedAt: string, eventId: string): Key => ({
  pk: feedPartition(workspace, shardOf(eventId)),
  sk: `${storedAt}#${eventId}`,
});

/** How far a walk over what earlier releases stored has come. */
export const fillKey = (name: string): Key => ({ pk: `FILL#${name}`, sk: META });

/** How far the walk of a night over what a workspace keeps has come. */
export const retentionWalkKey = (workspace: string): Key => ({ pk: workspacePartition(workspace), sk: 'RETENTION' });

export const reservedListKey = (workspace: string, epoch: Epoch): string => `WS#${workspace}#RESERVED#${epoch}`;
/** The number of reserved credits leads the sort key: counting them needs no look at the sends. */
export const reservedSortKey = (credits: number, messageId: string): string => `${credits}#${messageId}`;

export const workspacePartition = (workspace: string): string => `WS#${workspace}`;

/** Endpoints and rules of a workspace, whole: whoever dispatches an event reads all of them in one query. */
export const ENDPOINT_PREFIX = 'ENDPOINT#';
export const endpointKey = (workspace: string, id: string): Key => ({
  pk: workspacePartition(workspace),
  sk: `${ENDPOINT_PREFIX}${id}`,
});

export const RULE_PREFIX = 'RULE#';
export const ruleKey = (workspace: string, id: string): Key => ({ pk: `WS#${workspace}`, sk: `${RULE_PREFIX}${id}` });
export const isRuleId = (id: string): boolean => id.startsWith('rule_');
/** How whoever is called is: an endpoint's item says that itself, and this one of the URLs that a rule calls. */
export const healthKey = (workspace: string, id: string): Key =>
  isRuleId(id) ? { pk: workspacePartition(workspace), sk: `CALLS#${id}` } : endpointKey(workspace, id);
/** That no rule of a workspace sends for now. */
export const rulesPausedKey = (workspace: string): Key => ({ pk: `WS#${workspace}`, sk: 'RULESPAUSED' });
export const MUTED_PREFIX = 'MUTED#';
export const mutedKey = (workspace: string, chat: string): Key => ({
  pk: `WS#${workspace}`,
  sk: `${MUTED_PREFIX}${chat}`,
});
/** What rules did, event by event. */
export const RUN_PREFIX = 'RUN#';
export const runPartition = (rule: string): string => `RULE#${rule}`;
export const runKey = (rule: string, storedAt: string, event: string): Key => ({
  pk: runPartition(rule),
  sk: `${RUN_PREFIX}${storedAt}#${event}`,
});
/** How many mails a rule has sent in an hour. */
export const mailHourKey = (rule: string, hour: number): Key => ({ pk: runPartition(rule), sk: `MAILS#${hour}` });
/** That a rule lacks credits, and when that was told. */
export const ruleRefusedKey = (rule: string): Key => ({ pk: runPartition(rule), sk: 'REFUSED' });
/** What a chat remembers of the answers that rules gave in it. */
export const autoKey = (chat: string): Key => ({ pk: `AUTO#${chat}`, sk: 'META' });
/** How much rules have sent in a minute, over a workspace. */
export const autoMinuteKey = (workspace: string, minute: number): Key => ({
  pk: `AUTO#${workspace}`,
  sk: `MINUTE#${minute}`,
});

export const REPLAY_PREFIX = 'REPLAY#';
export const replayKey = (workspace: string, id: string): Key => ({
  pk: workspacePartition(workspace),
  sk: `${REPLAY_PREFIX}${id}`,
});

export const DELIVERY_PREFIX = 'DLV#';
export const deliveryPartition = (endpoint: string): string => `EP#${endpoint}`;
/** `storedAt`: ISO 8601, when the event was stored. */
export const deliveryKey = (endpoint: string, storedAt: string, event: string): Key => ({
  pk: deliveryPartition(endpoint),
  sk: `${DELIVERY_PREFIX}${storedAt}#${event}`,
});
/** How many calls of an endpoint were begun in a second, where it bears only so many. */
export const secondKey = (endpoint: string, second: number): Key => ({
  pk: `EP#${endpoint}#RATE`,
  sk: `SECOND#${second}`,
});
/** gsi3: what waits for an endpoint that is failing or switched off, oldest first. */
export const waitingList = (endpoint: string): string => `WAIT#${endpoint}`;

export type Due = 'account' | 'probe' | 'unknown' | 'status' | 'delivery' | 'endpoint';

export const dueListKey = (what: Due, shard: number): string => `DUE#${what}#${shard}`;
export const dueListOf = (what: Due, id: string): string => dueListKey(what, shardOf(id));
/** Sorts by time; `at` in milliseconds since the epoch. */
export const dueSortKey = (at: number, id = ''): string =>
  `${String(Math.max(0, Math.ceil(at))).padStart(MS_DIGITS, '0')}#${id}`;
export const dueTime = (sortKey: string): number => Number(sortKey.slice(0, MS_DIGITS));
