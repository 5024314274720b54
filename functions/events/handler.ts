import { recordActivity } from '#lib/activity/record.ts';
import { deadLetters, sqsTasks } from '#lib/aws/queues.ts';
import { allowsPrivateHosts, required, runtime, sendingPorts } from '#lib/aws/runtime.ts';
import { streamHandler } from '#lib/aws/stream-handler.ts';
import type { JsonObject } from '#lib/domain/json.ts';
import { type Once, submitBody } from '#lib/outbox/submit.ts';
import { sharedBudgets } from '#lib/reactions/budget.ts';
import { beginBatch } from '#lib/reactions/dispatch.ts';
import { noticeOf } from '#lib/reactions/notice.ts';
import { patternMatcher } from '#lib/reactions/patterns.ts';
import * as outbound from '../outbound.ts';

const all = runtime();
const { environment, store, log } = all;
const sending = {
  ...sendingPorts(all),
  reaches: new Map(Object.values(outbound).map((provider) => [provider.name, provider])),
  rules: { allowPrivateHosts: allowsPrivateHosts(environment) },
};
const ports = {
  ...all,
  tasks: sqsTasks(all.sqs, required(environment, 'HOOKLINE_DELIVERIES_QUEUE_URL')),
  budget: sharedBudgets({ ...all, matches: patternMatcher() }),
  submit: (workspace: string, rule: string, body: JsonObject, once: Once) =>
    submitBody(sending, { workspace, webhookId: rule }, body, once),
};

const setAside = deadLetters(all.sqs, required(environment, 'HOOKLINE_EVENTS_DEAD_QUEUE_URL'));

export const handler = streamHandler(
  {
    begin: () => beginBatch(ports),
    setAside: async (change) => setAside(noticeOf(change) ?? {}),
    record: (shard, changes) => recordActivity(store, shard, changes),
  },
  log,
);
