import { sqsTasks } from '#lib/aws/queues.ts';
import { required, runtime } from '#lib/aws/runtime.ts';
import { streamHandler } from '#lib/aws/stream-handler.ts';
import { dispatch, noticeOf, subscribersOf } from '#lib/reactions/dispatch.ts';
import { patternMatcher } from '#lib/reactions/patterns.ts';

const { environment, sqs, ...all } = runtime();
const { store, clock, log } = all;
const tasks = sqsTasks(sqs, required(environment, 'HOOKLINE_DELIVERIES_QUEUE_URL'));
const ports = { ...all, tasks, subscribers: subscribersOf(store, clock), matches: patternMatcher() };

export const handler = streamHandler(async (record) => {
  const notice = noticeOf(record);
  if (notice) await dispatch(ports, notice);
}, log);
