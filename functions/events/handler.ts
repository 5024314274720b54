import { recordActivity } from '#lib/activity/counters.ts';
import { deadLetters } from '#lib/aws/queues.ts';
import { acceptingPorts, required, runtime, tasksOf } from '#lib/aws/runtime.ts';
import { streamHandler } from '#lib/aws/stream-handler.ts';
import type { JsonObject } from '#lib/domain/json.ts';
import { type Once, submitBody } from '#lib/outbox/submit.ts';
import { beginBatch, idsOf } from '#lib/reactions/dispatch.ts';
import { patternMatcher, sharedBudgets } from '#lib/reactions/untrusted.ts';
import * as outbound from '../outbound.ts';

const all = runtime();
const { environment, store, clock, log } = all;
const sending = acceptingPorts(all, Object.values(outbound));
const ports = {
  ...all,
  tasks: tasksOf(all),
  budget: sharedBudgets({ ...all, matches: patternMatcher() }),
  submit: (workspace: string, rule: string, body: JsonObject, once: Once) =>
    submitBody(sending, { workspace, webhookId: rule }, body, once),
};

const setAside = deadLetters(all.sqs, required(environment, 'HOOKLINE_EVENTS_DEAD_QUEUE_URL'));

export const handler = streamHandler(
  {
    begin: () => beginBatch(ports),
    setAside: async (change) => setAside(idsOf(change)),
    record: (shard, changes) => recordActivity(store, shard, changes, clock.now()),
  },
  log,
);
