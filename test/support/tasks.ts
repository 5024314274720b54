import type { Tasks } from '#lib/reactions/task.ts';

/** A queue of deliveries that takes each task by itself, without a task one that takes all and does nothing. */
export const tasksBy = (send: Tasks['send'] = async () => undefined): Tasks => ({
  send,
  sendAll: async (tasks) => {
    for (const task of tasks) await send(task);
  },
});
