import * as v from 'valibot';
import { byDay, changesSince, hoursBetween, KINDS, readMark, Stat } from '#lib/activity/counters.ts';
import { Summary, summaryOf } from '#lib/activity/summary.ts';
import { optional, strictObject, text } from '#lib/domain/schema.ts';
import { DAY_MS } from '#lib/domain/time.ts';
import { EMPTY, invalid, json } from '../answers.ts';
import { routesOn } from '../route.ts';
import { allOf, decoded, time } from '../schemas.ts';

const route = routesOn({ tag: 'Activity', access: 'workspace' });

const MOST_DAYS = 92;

const Since = time('When today began for you, ISO 8601. Left out: at midnight, UTC');
const LONGEST_DAY_MS = 2 * DAY_MS;

export const activityRoutes = [
  route('GET /api/changes', {
    summary: 'Whether anything has changed since you looked last',
    description:
      'Made to be asked often: it reads two items, which are written some moments after a change. Ask for the lists again when it says so; at the full hour it always does.',
    query: strictObject({
      after: v.exactOptional(
        decoded(
          readMark,
          'The `mark` that was answered last; left out: everything is new',
          'is no mark of this call: leave it out to begin anew',
        ),
      ),
    }),
    answers: {
      200: {
        description: 'Something has',
        schema: v.object({
          mark: text('For `after` of the next call'),
          changed: v.pipe(
            v.array(v.picklist(KINDS)),
            v.readonly(),
            v.description('`chats` with their messages; `accounts` also where more or fewer messages wait'),
          ),
        }),
      },
      204: { description: 'Nothing' },
    },
    run: async ({ query: { after } }, { ports, workspace }) => {
      const found = await changesSince(ports.store, workspace, ports.clock.now(), after);
      return found ? json(200, found) : EMPTY;
    },
  }),
  route('GET /api/stats', {
    summary: 'How much was received and sent, hour by hour or day by day',
    description:
      'Counted when it was stored, some moments after it, each message once. Hours in which nothing happened are there as well. Kept for 400 days.',
    query: strictObject({
      from: v.exactOptional(time('Where to begin, ISO 8601; the whole hour is taken. Left out: a day before `to`')),
      to: v.exactOptional(time('Where to end, ISO 8601, not included. Left out: now')),
      by: optional(v.picklist(['hour', 'day']), 'Days are those of UTC; left out: `hour`'),
    }),
    answers: {
      200: {
        description: 'Oldest first; there is no next page',
        schema: allOf(Stat),
      },
    },
    run: async ({ query }, { ports, workspace }) => {
      const { to = ports.clock.now() } = query;
      const { from = to - DAY_MS } = query;
      if (from >= to) return invalid([{ path: 'from', message: 'must be earlier than `to`' }]);
      if (to - from > MOST_DAYS * DAY_MS)
        return invalid([{ path: 'from', message: `must be at most ${MOST_DAYS} days before \`to\`` }]);
      const hours = await hoursBetween(ports.store, workspace, from, to);
      return json(200, { items: query.by === 'day' ? byDay(hours) : hours });
    },
  }),
  route('GET /api/summary', {
    summary: 'Today against a week ago, and what needs a hand',
    description:
      'All that an overview shows, in two round trips to the table. Figures are of whole hours; those of last week end at the same time of day.',
    query: strictObject({ since: v.exactOptional(Since) }),
    answers: { 200: { description: 'How things stand', schema: Summary } },
    run: async ({ query }, { ports, workspace }) => {
      const now = ports.clock.now();
      const { since = Math.floor(now / DAY_MS) * DAY_MS } = query;
      if (since > now || since < now - LONGEST_DAY_MS)
        return invalid([{ path: 'since', message: 'must be within the last two days' }]);
      return json(200, await summaryOf(ports, workspace, since));
    },
  }),
];
