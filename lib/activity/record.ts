import { hasGoneOut, PART_STATES, type PartState } from '#lib/domain/send/part.ts';
import { sendIdIn, unknownSendKey } from '#lib/store/keys.ts';
import { del, put, type Store } from '#lib/store/store.ts';
import { type Count, type Kind, raise } from './counters.ts';

type Image = Readonly<Record<string, unknown>>;

/** A change of an event's or a send's item, as the stream tells it. */
export interface ItemChange {
  readonly before?: Image;
  readonly after?: Image;
  readonly sequence: string;
  /** When it was written, in milliseconds. */
  readonly at?: number;
}

interface Activity {
  readonly workspace: string;
  readonly kinds: readonly Kind[];
  readonly counts: readonly Count[];
  /** Of a send: whether nobody knows what has become of it, where that has changed. */
  readonly unknown?: { readonly send: string; readonly isNow: boolean };
}

/**
 * Keeps what a batch of the stream has to tell to whoever looks at a workspace: that there is something new, how much it
 * was, and which sends have an unknown outcome. Safe to repeat.
 */
export async function recordActivity(
  store: Store,
  shard: string,
  changes: readonly ItemChange[],
  now: number,
): Promise<void> {
  const all = changes.flatMap((change) => activityIn(change) ?? []);
  const workspaces = Map.groupBy(all, ({ workspace }) => workspace);
  await Promise.all([
    ...[...workspaces].map(([workspace, those]) => {
      const counts = those.flatMap((one) => one.counts);
      const kinds = [...new Set(those.flatMap((one) => one.kinds))];
      return raise(store, shard, { workspace, counts, kinds }, now);
    }),
    ...lastOfEach(all).map(([workspace, { send, isNow }]) => noteUnknown(store, workspace, send, isNow)),
  ]);
}

/** Of several changes of one send, the last one counts. */
function lastOfEach(all: readonly Activity[]) {
  const noted = all.flatMap(({ workspace, unknown }) =>
    unknown ? [[unknown.send, [workspace, unknown]] as const] : [],
  );
  return [...new Map(noted).values()];
}

/** Whoever lists these looks at the send as well: a row that is too much shows nothing. */
async function noteUnknown(store: Store, workspace: string, send: string, isNow: boolean): Promise<void> {
  const key = unknownSendKey(workspace, send);
  await store.write(isNow ? put({ ...key }) : del(key));
}

function activityIn(change: ItemChange): Activity | undefined {
  const { workspace, pk } = change.after ?? {};
  if (typeof workspace !== 'string' || typeof pk !== 'string') return undefined;
  const send = sendIdIn(pk);
  return send === undefined ? ofEvent(change, workspace) : ofSend(change, workspace, send);
}

function ofEvent({ before, after = {}, at, sequence }: ItemChange, workspace: string): Activity {
  const { kind, provider } = after;
  const isReceived = !isIncoming(before) && isIncoming(after);
  const one = { workspace, provider: String(provider), what: 'received', sequence } as const;
  return {
    workspace,
    kinds: ['events', ...kindsOf(String(kind))],
    counts: isReceived && at !== undefined ? [{ ...one, at }] : [],
  };
}

const isIncoming = ({ kind, direction }: Image = {}): boolean => kind === 'message' && direction === 'inbound';

function kindsOf(kind: string): readonly Kind[] {
  if (['message', 'status', 'reaction', 'chat', 'call'].includes(kind)) return ['chats'];
  return ['account', 'connection'].includes(kind) ? ['accounts'] : [];
}

function ofSend({ before, after = {}, at, sequence }: ItemChange, workspace: string, send: string): Activity {
  const [then, now] = [statesIn(before), statesIn(after)];
  const one = { workspace, provider: String(after.provider), sequence };
  const moved = (isIn: (state: PartState | undefined) => boolean) =>
    now.filter((state, i) => isIn(state) && !isIn(then[i])).length;
  const times = (what: Count['what'], count: number): Count[] =>
    at === undefined ? [] : Array.from({ length: count }, () => ({ ...one, what, at }));
  const [was, is] = [then.includes('unknown'), now.includes('unknown')];
  return {
    workspace,
    // How many wait on an account changes with its sends.
    kinds: ['sends', 'accounts'],
    counts: [
      ...times(
        'sent',
        moved((state) => state !== undefined && hasGoneOut(state)),
      ),
      ...times(
        'failed',
        moved((state) => state === 'failed'),
      ),
    ],
    ...(was !== is && { unknown: { send, isNow: is } }),
  };
}

const STATES: readonly string[] = PART_STATES;
const isState = (value: unknown): value is PartState => typeof value === 'string' && STATES.includes(value);

function statesIn({ parts }: Image = {}): readonly (PartState | undefined)[] {
  if (!Array.isArray(parts)) return [];
  return parts.map((part: unknown) => {
    const state: unknown = typeof part === 'object' && part !== null && 'state' in part ? part.state : undefined;
    return isState(state) ? state : undefined;
  });
}
