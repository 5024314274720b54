import { keyPart, shardOf } from '#lib/domain/ids.ts';
import type { Epoch } from '#lib/domain/send/part.ts';
import { toIso } from '#lib/domain/time.ts';
import type { Key } from './store.ts';

/** Where everything about sending lies in the table. The indexes: gsi1 lists, gsi2 what is reserved, gsi3 what is due. */

const MS_DIGITS = 15;
const SEQ_DIGITS = 12;

export const accountKey = (account: string): Key => ({ pk: `ACC#${account}`, sk: 'META' });
export const probeKey = (account: string): Key => ({ pk: `ACC#${account}`, sk: 'PROBE' });

export const POINTER_PREFIX = 'Q#';
export const pointerKey = (account: string, seq: number, part: number): Key => ({
  pk: `ACC#${account}`,
  sk: `${POINTER_PREFIX}${String(seq).padStart(SEQ_DIGITS, '0')}#${part}`,
});

/** Marks of unknown outcomes as version 0.1 wrote them; they are gone a day after its last run. */
export const OLD_UNKNOWN_PREFIX = 'U#';
export const oldUnknownKey = (account: string, messageId: string, part: number): Key => ({
  pk: `ACC#${account}`,
  sk: `${OLD_UNKNOWN_PREFIX}${messageId}#${part}`,
});

/** Where attempts and messages of the same words to the same person meet; `trace`: lib/domain/send/evidence.ts. */
export const tracePartition = (account: string, trace: string): string => `ECHO#${account}#${trace}`;
export const unknownKey = (account: string, trace: string, messageId: string, part: number): Key => ({
  pk: tracePartition(account, trace),
  sk: `U#${messageId}#${part}`,
});
export const echoKey = (account: string, trace: string, providerId: string): Key => ({
  pk: tracePartition(account, trace),
  sk: `E#${keyPart(providerId)}`,
});

/** Who is known under a name (lib/chats/people.ts): one row for each chat. */
export const personPartition = (workspace: string, name: string): string => `PERSON#${workspace}#${keyPart(name)}`;
export const personKey = (workspace: string, name: string, chat: string): Key => ({
  pk: personPartition(workspace, name),
  sk: chat,
});

export const sendKey = (messageId: string): Key => ({ pk: `MSG#${messageId}`, sk: 'META' });

export const idempotencyKey = (workspace: string, webhook: string, key: string): Key => ({
  pk: `IDEM#${workspace}#${webhook}#${key}`,
  sk: 'META',
});

export const quotaKindKey = (workspace: string): Key => ({ pk: `WS#${workspace}`, sk: 'QUOTAKIND' });
export const QUOTA_PREFIX = 'QUOTA#';
export const quotaKey = (workspace: string, epoch: Epoch): Key => ({
  pk: `WS#${workspace}`,
  sk: `${QUOTA_PREFIX}${epoch}`,
});
export const auditKey = (workspace: string): Key => ({ pk: `WS#${workspace}`, sk: 'AUDIT' });
export const LEDGER_PREFIX = 'LEDGER#';
export const ledgerKey = (workspace: string, at: number, id: string): Key => ({
  pk: `WS#${workspace}`,
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
export const fillKey = (name: string): Key => ({ pk: `FILL#${name}`, sk: 'META' });

export const reservedListKey = (workspace: string, epoch: Epoch): string => `WS#${workspace}#RESERVED#${epoch}`;
/** The number of reserved credits leads the sort key: counting them needs no look at the sends. */
export const reservedSortKey = (credits: number, messageId: string): string => `${credits}#${messageId}`;

export const workspacePartition = (workspace: string): string => `WS#${workspace}`;

/** Endpoints and rules of a workspace, whole: whoever dispatches an event reads all of them in one query. */
export const ENDPOINT_PREFIX = 'ENDPOINT#';
export const endpointKey = (workspace: string, id: string): Key => ({
  pk: `WS#${workspace}`,
  sk: `${ENDPOINT_PREFIX}${id}`,
});

export const RULE_PREFIX = 'RULE#';
/** Rules, and whether they pause: read in one query. */
export const RULES_PREFIX = 'RULE';
export const ruleKey = (workspace: string, id: string): Key => ({ pk: `WS#${workspace}`, sk: `${RULE_PREFIX}${id}` });
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
/** What a chat remembers of the answers that rules gave in it. */
export const autoKey = (chat: string): Key => ({ pk: `AUTO#${chat}`, sk: 'META' });
/** How much rules have sent in a minute, over a workspace. */
export const autoMinuteKey = (workspace: string, minute: number): Key => ({
  pk: `AUTO#${workspace}`,
  sk: `MINUTE#${minute}`,
});

export const DELIVERY_PREFIX = 'DLV#';
export const deliveryPartition = (endpoint: string): string => `EP#${endpoint}`;
/** `storedAt`: ISO 8601, when the event was stored. */
export const deliveryKey = (endpoint: string, storedAt: string, event: string): Key => ({
  pk: deliveryPartition(endpoint),
  sk: `${DELIVERY_PREFIX}${storedAt}#${event}`,
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
