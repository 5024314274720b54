import { queryAll } from '../query-all.ts';
import type { Store } from '../store.ts';
import type { SendingConfig } from './config.ts';
import { findHead } from './head.ts';
import { type Part, readSend, type Send } from './items.ts';
import { dueListOf } from './keys.ts';
import { settleLate } from './late.ts';
import { persistent, type StorePorts } from './persistent.ts';

/** What a provider's webhook says of a message that went out through its API. */
export interface Echo {
  readonly workspace: string;
  readonly account: string;
  readonly providerId: string;
  /** Whether this is the recipient that a send names, in whichever of its spellings. */
  readonly isTo: (recipient: Send['recipient']) => boolean;
  readonly text?: string;
  readonly fileName?: string;
}

const PAGE = 500;
/** DynamoDB hands out at most so many items by key at once. */
const BATCH = 100;

/**
 * Evidence that comes by itself: an echo settles the attempt that it can only belong to. Where two would fit, none is
 * settled, since giving one the other's id would mix up their statuses.
 */
export async function onEcho(given: StorePorts, echo: Echo, config: SendingConfig): Promise<'settled' | 'no match'> {
  const ports = persistent(given, config);
  const candidates = (await unknownSends(ports, echo)).flatMap((send) =>
    send.parts.flatMap((part, index) => (fits(echo, send, part) ? [{ send, index, part }] : [])),
  );
  const [only, ...others] = candidates;
  if (!only || others.length > 0) return 'no match';
  // Before whose name it is: a message that is no longer under way by then has its name, and a later one cannot be what
  // echoes. That nobody has the name yet is asked as it is taken.
  if (await isUnderWay(ports.store, echo)) return 'no match';
  const ending = { kind: 'sent', providerId: echo.providerId, inferred: true } as const;
  const settled = await settleLate(ports, only, only.part.intentAt ?? 0, ending);
  return settled ? 'settled' : 'no match';
}

async function unknownSends({ store }: StorePorts, { workspace, account }: Echo): Promise<Send[]> {
  // To the end: the list has other accounts' messages in it, too, and one that is overlooked would make two look like one.
  const listed = await queryAll(store, { index: 'gsi3', pk: dueListOf('unknown', account), limit: PAGE });
  const keys = listed.map(({ pk, sk }) => ({ pk, sk }));
  const batches = Array.from({ length: Math.ceil(keys.length / BATCH) }, (_, i) =>
    keys.slice(i * BATCH, (i + 1) * BATCH),
  );
  const items = await Promise.all(batches.map((batch) => store.getMany(batch, { consistent: true })));
  return items
    .flat()
    .map(readSend)
    .filter((send) => send.workspace === workspace && send.accountId === account);
}

function fits(echo: Echo, send: Send, part: Part): boolean {
  return part.state === 'unknown' && says(echo, send, part);
}

function says(echo: Echo, send: Send, part: Part): boolean {
  if (!echo.isTo(send.recipient)) return false;
  return part.kind === 'text' ? part.text === echo.text : part.name === echo.fileName;
}

/** The same words may be on their way right now, or have been when a run died: then the echo can be theirs. */
async function isUnderWay(store: Store, echo: Echo): Promise<boolean> {
  const head = await findHead(store, echo.account);
  return head?.part.state === 'sending' && says(echo, head.send, head.part);
}
