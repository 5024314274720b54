import type { Head, Turn } from './turn.ts';

/** Only a message that had to wait for its turn says something about the gap; others came when nothing was going on. */
export function measureGap({ account, ports }: Turn, { send }: Head, intentAt: number): void {
  const { id, endedAt, nextSendAt, backoffUntil } = account;
  if (endedAt === undefined || send.createdAt > nextSendAt || backoffUntil > nextSendAt) return;
  ports.metrics.count('SendGap', { account: id }, intentAt - endedAt);
}
