import { getAll } from '../get-all.ts';
import { queryAll } from '../query-all.ts';
import { isLive, type Store } from '../store.ts';
import type { SendingConfig } from './config.ts';
import type { EndingPorts } from './ends.ts';
import { findHead } from './head.ts';
import { type Part, readSend, type Send } from './items.ts';
import { accountKey, sendKey, UNKNOWN_PREFIX } from './keys.ts';
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

/**
 * Evidence that comes by itself: an echo settles the attempt that it can only belong to. Where two would fit, none is
 * settled, since giving one the other's id would mix up their statuses.
 */
export async function onEcho(given: EndingPorts, echo: Echo, config: SendingConfig): Promise<'settled' | 'no match'> {
  const ports = persistent(given, config);
  // Asked first: what is under way no longer stands among the unknown by then, or has its name, or has not gone out.
  if (await isUnderWay(ports.store, echo)) return 'no match';
  const candidates = (await unknownSends(ports, echo)).flatMap((send) =>
    send.parts.flatMap((part, index) => (fits(echo, send, part) ? [{ send, index, part }] : [])),
  );
  const [only, ...others] = candidates;
  // That nobody has the name yet is asked as it is taken.
  if (!only || others.length > 0) return 'no match';
  const ending = { kind: 'sent', providerId: echo.providerId, inferred: true } as const;
  const settled = await settleLate(ports, only, only.part.intentAt ?? 0, ending);
  return settled ? 'settled' : 'no match';
}

/** All of the account's, consistently: one that is overlooked would make two look like one. */
async function unknownSends({ store, clock }: StorePorts, { workspace, account }: Echo): Promise<Send[]> {
  const { pk } = accountKey(account);
  const marks = await queryAll(store, { pk, prefix: UNKNOWN_PREFIX, limit: PAGE, consistent: true });
  const nowSeconds = clock.now() / 1000;
  const messages = new Set(marks.filter((mark) => isLive(mark, nowSeconds)).map((mark) => String(mark.send)));
  const items = await getAll(store, [...messages].map(sendKey), { consistent: true });
  return items.map(readSend).filter((send) => send.workspace === workspace && send.accountId === account);
}

function fits(echo: Echo, send: Send, part: Part): boolean {
  // What was given up can have gone out, and what has an id already is another message.
  const isOpen = (part.state === 'unknown' || part.state === 'expired') && part.providerId === undefined;
  return isOpen && says(echo, send, part);
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
