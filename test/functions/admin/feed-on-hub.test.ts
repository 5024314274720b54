import { expect, it, vi } from 'vitest';
import { startHub } from '#infra/local/hub.ts';
import { hubClient, postJson } from '#test/support/hub-client.ts';
import { Seeded } from '#test/support/simulation/seeded.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const WRITERS = 16;
const EACH = 12;
const hourOf = (mark: string) => mark.split('.')[0];

it('a reader of a running hub misses nothing and sees nothing twice, and each message is counted once', async () => {
  const hub = await startHub({ environment: { PORT: '0', HOOKLINE_DATA: ':memory:', HOOKLINE_WATCHDOG_MS: '500' } });
  try {
    const { api } = hubClient(hub);
    const before = await api('GET', '/api/changes');
    const { url } = await api('POST', '/api/webhooks', { kind: 'receive', provider: 'sandbox' });
    const seeded = new Seeded(Number(process.env.SEED ?? 1));
    const stored = new Set<string>();
    const write = async (writer: number) => {
      for (let n = 0; n < EACH; n++) {
        const at = new Date(Date.now() + seeded.between(-9 * MINUTE, seeded.chance(0.2) ? 48 * HOUR : 0)).toISOString();
        const message = { event: 'message', id: `w${writer}n${n}`, chat: `+1555010${writer}`, text: 'hello', at };
        const answers = [await postJson(url, message), ...(n % 5 === 0 ? [await postJson(url, message)] : [])];
        for (const { status, body } of answers) {
          expect(status).toBe(200);
          stored.add(JSON.parse(body).id);
        }
      }
    };
    let isOver = false;
    const seen: string[] = [];
    const read = async () => {
      for (let cursor = ''; !(isOver && seen.length >= stored.size); ) {
        const page = await api('GET', `/api/events?order=received&limit=20${cursor && `&cursor=${cursor}`}`);
        seen.push(...page.items.map(({ id }: { id: string }) => id));
        cursor = page.cursor;
        if (!page.more) await new Promise((resolve) => setTimeout(resolve, 200));
      }
    };
    const reading = read();
    await Promise.all(Array.from({ length: WRITERS }, (_, writer) => write(writer)));
    isOver = true;
    await reading;
    expect(stored.size).toBe(WRITERS * EACH);
    expect([...seen].sort()).toEqual([...stored].sort());
    const counted = async () => {
      const { items } = await api('GET', '/api/stats?by=day');
      return items.reduce((sum: number, { received }: { received: number }) => sum + received, 0);
    };
    await vi.waitFor(async () => expect(await counted()).toBe(stored.size), { timeout: 5000, interval: 200 });
    const { mark, changed } = await api('GET', `/api/changes?after=${before.mark}`);
    // In a new hour all may have changed.
    if (hourOf(mark) === hourOf(before.mark)) expect(changed).toEqual(['events', 'chats']);
    else expect(changed).toContain('events');
  } finally {
    await hub.stop();
  }
}, 60_000);
