import * as v from 'valibot';
import { Replayed } from '#lib/app/events/replayed.ts';
import { optional } from '#lib/domain/schema.ts';
import { json, missing } from '../answers.ts';
import { replaysOf } from '../replays.ts';
import { route, takesNothing } from '../route.ts';
import { Cursor, Id, listOf, WithId } from '../schemas.ts';

const NO_EVENT = missing('event');
const MOST_IDS = 200;
const shared = { ...takesNothing, method: 'post', tag: 'Events', access: 'workspace' } as const;

const Selection = v.pipe(
  v.strictObject({
    type: optional(v.string(), "Quarantined events of this type: the provider's name of the event"),
    ids: optional(v.pipe(v.array(Id), v.maxLength(MOST_IDS)), 'These events, quarantined or not'),
    cursor: v.exactOptional(Cursor),
  }),
  v.check(({ ids, type, cursor }) => !(ids && (type ?? cursor)), 'take either `ids`, or `type` and `cursor`'),
);

const Answered = v.object({
  ...listOf(Replayed).entries,
  left: optional(v.number(), 'Of `ids`: how many of the last ones were not reached, and are to be sent again'),
});

export const replayRoutes = [
  route({
    ...shared,
    path: '/api/events/{id}/replay',
    summary: 'Read an event again with the readers of this release',
    params: WithId,
    answers: { 200: { description: 'What became of it', schema: Replayed } },
    run: async ({ params }, context) => {
      const replays = replaysOf(context.ports, context.workspace);
      const replayed = await replays.event(params.id);
      return replayed.result === 'not_found' ? NO_EVENT : json(200, replayed);
    },
  }),
  route({
    ...shared,
    path: '/api/events/replay',
    summary: 'Replay some events, or all that are in quarantine',
    body: Selection,
    example: {},
    answers: {
      200: {
        description: 'What became of each, with the first of its issues; not all where time or the answer is too short',
        schema: Answered,
      },
    },
    run: async ({ body: { ids, type, cursor } }, context) => {
      const replays = replaysOf(context.ports, context.workspace);
      if (ids) return json(200, await replays.events([...new Set(ids)]));
      const selection = { ...(type !== undefined && { type }), ...(cursor !== undefined && { from: cursor }) };
      return json(200, await replays.quarantined(selection));
    },
  }),
];
