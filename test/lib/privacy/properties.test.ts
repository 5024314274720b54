import fc from 'fast-check';
import { expect, it } from 'vitest';
import { message } from '#test/functions/admin/admin-bench.ts';
import { wrongRows } from '#test/support/found-rows.ts';
import { DIGITS, ErasureHub, LONGER, names, OTHER, PERSON, snapshot, textsByPartition } from './hub.ts';

const spelling = fc.constantFrom(
  DIGITS,
  PERSON,
  `${DIGITS}@c.us`,
  `${DIGITS}:3@c.us`,
  `${DIGITS}:17@s.whatsapp.net`,
  `00${DIGITS}`,
);
const somebodyElse = fc.constantFrom(OTHER, LONGER, `${DIGITS}0@c.us`, '15550123:2@c.us', '120363042@g.us', 'chat-78');
const anybody = fc.oneof(spelling, somebodyElse);

/** A delivery to one of two workspaces. */
const delivery = fc.record({
  mine: fc.boolean(),
  what: fc.constantFrom('message', 'message', 'message', 'status', 'unknown', 'broken', 'refused'),
  chat: anybody,
  from: anybody,
  speaksOf: fc.option(anybody, { nil: undefined }),
  direction: fc.constantFrom('inbound', 'outbound'),
});
type Delivery = typeof delivery extends fc.Arbitrary<infer Value> ? Value : never;

function bodyOf({ what, chat, from, speaksOf, direction }: Delivery, n: number): unknown {
  if (what === 'unknown') return { event: 'new thing', who: from, n };
  if (what === 'broken') return `{"broken ${n}: "${from}"`;
  if (what === 'status') return { event: 'status', id: `m${n % 5}`, status: 'read', chat, at: message(n).at };
  return message(n, { chat, from, direction, ...(speaksOf !== undefined && { text: `ask ${speaksOf}!` }) });
}

it('leaves nothing that names the person, and everything else as it was', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(delivery, { minLength: 1, maxLength: 25 }), async (deliveries) => {
      const hub = new ErasureHub();
      const { id: theirs } = await hub.workspaceWithKey();
      const urls = { mine: (await hub.webhook()).url, theirs: (await hub.webhook({}, { workspace: theirs })).url };
      const off = (await hub.webhook()).url;
      await switchOff(hub);
      for (const [n, one] of deliveries.entries()) {
        const url = one.mine ? urls.mine : urls.theirs;
        await hub.post(one.what === 'refused' ? off : url, bodyOf(one, n));
      }
      const before = { texts: textsByPartition(hub.memory.all()), items: snapshot(hub.memory) };
      expect((await hub.done('DELETE', `/api/contacts/${DIGITS}`)).left).toEqual([]);
      expect(wrongRows(hub.memory.all())).toEqual([]);
      const foreign = partitionsOf(hub, theirs);
      for (const [pk, text] of textsByPartition(hub.memory.all())) {
        if (!foreign.has(pk)) expect(names(text), pk).toBe(false);
      }
      const after = snapshot(hub.memory);
      for (const [key, item] of after) {
        const [had = '', has] = [before.items.get(key), item].map((text = '') =>
          isLast(key) ? withoutLast(text) : text,
        );
        expect(has).toBe(had);
        // A chat that stays loses the id of its last message where that is gone, and nothing else.
        const [, last] = /"lastEvent":"(evt_[^"]+)"/.exec(item) ?? [];
        expect(last === undefined || after.has(`EVT#${last} META`), key).toBe(true);
      }
      for (const [pk, text] of before.texts) {
        const gone = [...before.items].filter(([key]) => key.startsWith(`${pk} `) && !after.has(key));
        if (gone.length > 0) expect(foreign.has(pk), pk).toBe(false);
        for (const [key, item] of gone) {
          const why = key.startsWith('ATT#') ? names(item) : names(text) || isFollowing(pk, text);
          expect(why, key).toBe(true);
        }
      }
    }),
    { numRuns: 60 },
  );
}, 60_000);

const isLast = (key: string) => key.startsWith('CHAT#');
const withoutLast = (item: string) => item.replaceAll(/"(?:lastEvent(?:At)?|state)":"[^"]+",/g, '');

/** What goes with the person and holds no number: states of messages, places in the feed, a chat under another id, what leads there; a number from its end. */
const isFollowing = (pk: string, text: string) => /^(?:PID|FEED|FIND|PERSON)#/.test(pk) || text.includes('chat-78');

/** The partitions of a workspace: whoever looks from outside finds the workspace in each, but for its webhooks' logs. */
function partitionsOf({ memory }: ErasureHub, workspace: string): Set<string> {
  const all = memory.all();
  const webhooks = all.filter((item) => item.workspace === workspace && typeof item.webhookId === 'string');
  const own = all.filter(({ pk, workspace: of }) => of === workspace || pk.split('#').includes(workspace));
  return new Set([...own.map(({ pk }) => pk), ...webhooks.map(({ webhookId }) => `ATT#${webhookId}`)]);
}

async function switchOff(hub: ErasureHub): Promise<void> {
  const [newest] = (await hub.walk('/api/webhooks')).items;
  await hub.done('PATCH', `/api/webhooks/${newest?.id}`, { body: { enabled: false } });
}
