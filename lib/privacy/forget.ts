import { field, stateOfPart } from '#lib/sender/change-parts.ts';
import { forgetEcho, forgetUnknown } from '#lib/sender/evidence.ts';
import type { Send } from '#lib/sender/items.ts';
import {
  attemptPartition,
  autoKey,
  DELIVERY_PREFIX,
  deliveryPartition,
  ENDPOINT_PREFIX,
  entryId,
  eventKey,
  mutedKey,
  RULE_PREFIX,
  RUN_PREFIX,
  runPartition,
  sendKey,
  workspacePartition,
} from '#lib/store/keys.ts';
import { queryAll } from '#lib/store/query.ts';
import type { StorePorts } from '#lib/store/retry.ts';
import {
  absent,
  all,
  type Change,
  del,
  equal,
  exists,
  type Item,
  isLive,
  type Key,
  newTransaction,
  remove,
  type Store,
  set,
  update,
} from '#lib/store/store.ts';
import type { Partition } from '#lib/store/walk.ts';
import { wholeDirectory } from '#lib/tenants/directory.ts';

/*
 * What goes with a person and what goes with time alike: an erasure and a retention find it at the same places, and leave
 * the same of it.
 */

export const ERASED = 'erased';

export async function hasEvent(store: Store, { event }: Item, nowSeconds: number): Promise<boolean> {
  const head = await store.get(eventKey(String(event)), { consistent: true });
  return head !== undefined && isLive(head, nowSeconds);
}

export async function attemptPartitions(store: Store, workspace: string): Promise<readonly Partition[]> {
  const present = await wholeDirectory(store, workspace, 'WEBHOOK');
  const former = await wholeDirectory(store, workspace, 'FORMER');
  const ids = [...present, ...former].map(entryId);
  return ids.sort().map((id) => ({ name: id, query: { pk: attemptPartition(id), consistent: true } }));
}

/**
 * Where stands what endpoints and rules did, also those deleted since, and what they were answered. `before`, ISO 8601:
 * with events that were stored until then alone. Beside it stand figures by which a rule is bounded, which nobody is in.
 */
export async function calledPartitions(store: Store, workspace: string, before = '~'): Promise<readonly Partition[]> {
  const lists = [ENDPOINT_PREFIX, RULE_PREFIX].map((prefix) =>
    queryAll(store, { pk: workspacePartition(workspace), prefix, limit: 100, consistent: true }),
  );
  const ids = [...(await Promise.all(lists)).flat(), ...(await wholeDirectory(store, workspace, 'FORMER'))].map(
    entryId,
  );
  const part = (pk: string, prefix: string) => ({ pk, from: prefix, before: `${prefix}${before}`, consistent: true });
  return [...new Set(ids)].sort().flatMap((id) => [
    { name: id, query: part(deliveryPartition(id), DELIVERY_PREFIX) },
    { name: `${id} runs`, query: part(runPartition(id), RUN_PREFIX) },
  ]);
}

/** Which answers rules gave in a chat, and that they leave it alone. */
export const keptByRules = (workspace: string, chat: string): readonly Key[] => [
  autoKey(chat),
  mutedKey(workspace, chat),
];

/** Its own, and those of its echo: what it said can be tested against them by whoever guesses it. */
export async function eraseMarks(store: Store, send: Send): Promise<void> {
  const marks = send.parts.flatMap((part, index) => [
    ...(part.unknownAt === undefined ? [] : forgetUnknown(send, index)),
    ...(part.providerId === undefined ? [] : forgetEcho(send, part, part.providerId)),
  ]);
  for (const mark of marks) await store.write(mark);
}

/**
 * Credits are counted by the sends that they paid for: the send stays, with its states and without its content. What leads
 * to it by the provider's id goes with it: for as long as the message has its id, no other takes it.
 */
export async function empty({ store, random }: Pick<StorePorts, 'store' | 'random'>, send: Send): Promise<boolean> {
  const changes: Change[] = [
    set('erased', true),
    set('recipient', {}),
    ...send.parts.flatMap((part, index) =>
      (['text', 'url', 'name', 'caption', 'quoted', 'error', 'providerId'] as const).flatMap((name) =>
        part[name] === undefined ? [] : [remove(field(index, name))],
      ),
    ),
    set(
      'history',
      send.history.map(({ at, part, state }) => ({ at, state, ...(part !== undefined && { part }) })),
    ),
  ];
  // What has expired may get an id and stay as it is.
  const asRead = send.parts.flatMap(({ state, providerId }, index) => {
    const id = field(index, 'providerId');
    return [equal(field(index, 'state'), state), providerId === undefined ? absent(id) : equal(id, providerId)];
  });
  // Some providers give a file and its text one id.
  const states = send.parts.flatMap(({ providerId }, index) =>
    providerId === undefined ? [] : [stateOfPart(send, index, providerId)],
  );
  const distinct = new Map(states.map((key) => [key.pk, key]));
  const emptied = update(sendKey(send.messageId), changes, all(exists(), ...asRead));
  const writes = [emptied, ...[...distinct.values()].map((key) => del(key))];
  return (await store.transact(writes, newTransaction(random))).done;
}
