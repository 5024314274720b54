import * as v from 'valibot';

/** What lies in the queue: ids and times alone. What was erased meanwhile is not delivered, and no words lie in a queue. */
const Task = v.variant('kind', [
  v.object({
    kind: v.literal('delivery'),
    workspace: v.string(),
    endpoint: v.string(),
    event: v.string(),
    /** When the event was stored, ISO 8601. */
    storedAt: v.string(),
    /** Told again with other content: the first letters of its hash. */
    content: v.exactOptional(v.string()),
    /** Called whatever the row says: somebody asks for it, or its endpoint is drained. */
    now: v.exactOptional(v.boolean()),
  }),
  /** What a rule calls beside endpoints: the action at this place of its list. */
  v.object({
    kind: v.literal('action'),
    workspace: v.string(),
    rule: v.string(),
    event: v.string(),
    storedAt: v.string(),
    index: v.number(),
    /** What stood there when the event came. One of an earlier release does not say. */
    does: v.exactOptional(v.picklist(['call', 'email'])),
    now: v.exactOptional(v.boolean()),
  }),
  /** Asks a failing endpoint, with the oldest of what waits. */
  v.object({ kind: v.literal('probe'), workspace: v.string(), endpoint: v.string() }),
  /** Hands out what waits for an endpoint that is well again. */
  v.object({
    kind: v.literal('drain'),
    workspace: v.string(),
    endpoint: v.string(),
    /** Which step of it. */
    at: v.exactOptional(v.number()),
  }),
  /** Tells an endpoint again of what was stored: the step that is due at this time. */
  v.object({
    kind: v.literal('replay'),
    workspace: v.string(),
    endpoint: v.string(),
    replay: v.string(),
    at: v.number(),
  }),
]);
export type Task = v.InferOutput<typeof Task>;
export type DeliveryTask = Extract<Task, { kind: 'delivery' }>;
export type ActionTask = Extract<Task, { kind: 'action' }>;
export type ReplayTask = Extract<Task, { kind: 'replay' }>;
/** Whom a task concerns: an endpoint, or a rule that calls. All replays of a workspace are one: a step may take seconds. */
export function addresseeOf(task: Task): string {
  if (task.kind === 'replay') return task.workspace;
  return task.kind === 'action' ? task.rule : task.endpoint;
}
/** Throws on what is no task: the message then goes to the dead-letter queue, where an operator sees it. */
export const TaskBody = v.pipe(v.string(), v.parseJson(), Task);

/** SQS delays a message no longer. */
export const LONGEST_DELAY_S = 900;

export interface Tasks {
  /** Whole seconds, 0 to `LONGEST_DELAY_S`. */
  send(task: Task, delaySeconds?: number): Promise<void>;
  /** By few requests, which go out side by side: ten keep their order, more do not. Where it throws, some may have been taken. */
  sendAll(tasks: readonly Task[]): Promise<void>;
}
