import { hash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { sqsClient } from '#lib/aws/clients.ts';
import { sqsTasks, taskIn } from '#lib/aws/queues.ts';
import type { Task } from '#lib/reactions/delivery.ts';
import { ok, settingsOver } from '#test/support/aws-wire.ts';

interface Entry {
  readonly Id: string;
  readonly MessageBody: string;
  readonly MessageGroupId: string;
}

/** A queue that does not take the message of this number, and answers when all else of this moment is done. */
function queue(refused = -1) {
  const requests: (readonly Entry[])[] = [];
  const busy = { now: 0, most: 0 };
  const sqs = sqsClient(
    settingsOver(async (operation, _headers, body) => {
      expect(operation).toBe('SendMessageBatch');
      const entries: readonly Entry[] = JSON.parse(body).Entries;
      requests.push(entries);
      busy.now += 1;
      busy.most = Math.max(busy.most, busy.now);
      await setImmediate();
      busy.now -= 1;
      const isTaken = ({ MessageBody }: Entry) => eventOf(taskIn(MessageBody)) !== `evt_${refused}`;
      return ok({
        Successful: entries
          .filter(isTaken)
          .map(({ Id, MessageBody }) => ({ Id, MessageId: Id, MD5OfMessageBody: hash('md5', MessageBody) })),
        Failed: entries.filter((one) => !isTaken(one)).map(({ Id }) => ({ Id, Code: 'InternalError' })),
      });
    }),
  );
  return { requests, busy, tasks: sqsTasks(sqs, 'https://sqs.eu-central-1.amazonaws.com/1/deliveries') };
}

const eventOf = (task: Task) => (task.kind === 'delivery' ? task.event : '');
const tasksOf = (length: number) =>
  Array.from({ length }, (_, n): Task => {
    const storedAt = '2026-01-01T00:00:00.000Z';
    return { kind: 'delivery', workspace: 'main', endpoint: `ep_${n % 2}`, event: `evt_${n}`, storedAt };
  });
const many = tasksOf(23);

test('many tasks go out ten by one request, each in the group of its endpoint', async () => {
  const { requests, tasks } = queue();
  await tasks.sendAll(many);
  expect(requests.map((entries) => entries.length)).toEqual([10, 10, 3]);
  expect(requests.flat().map(({ MessageBody }) => taskIn(MessageBody))).toEqual(many);
  expect(requests.flat().map(({ MessageGroupId }) => MessageGroupId)).toEqual(many.map((_, n) => `ep_${n % 2}`));
});

test('the requests of very many go out side by side, eight at once', async () => {
  const { requests, busy, tasks } = queue();
  const all = tasksOf(500);
  await tasks.sendAll(all);
  expect(requests.flat().map(({ MessageBody }) => taskIn(MessageBody))).toHaveLength(all.length);
  expect(new Set(requests.flat().map(({ MessageBody }) => MessageBody)).size).toBe(all.length);
  expect(busy.most).toBe(8);
});

test('nothing to send asks for nothing', async () => {
  const { requests, tasks } = queue();
  await tasks.sendAll([]);
  expect(requests).toEqual([]);
});

test('what the queue does not take out of many is an error: whoever sends them sends them again', async () => {
  for (const [count, refused] of [
    [23, 15],
    [500, 499],
  ] as const)
    await expect(queue(refused).tasks.sendAll(tasksOf(count))).rejects.toThrow(
      'the queue did not take 1 tasks: InternalError',
    );
});
