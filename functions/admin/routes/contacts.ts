import * as v from 'valibot';
import { toPhone } from '#lib/domain/person.ts';
import { optional, strictObject } from '#lib/domain/schema.ts';
import { eraseContact } from '#lib/privacy/erase.ts';
import { Counts, Left } from '#lib/privacy/forget.ts';
import { walkCursor } from '#lib/store/walk.ts';
import { invalid, json, problem } from '../answers.ts';
import { routesOn } from '../route.ts';
import { decoded, flag, Id } from '../schemas.ts';

const cursors = walkCursor(Counts);

const Query = strictObject({
  groups: flag('`true`: also the groups whose id tells that this person founded them, with what everybody said there'),
  cursor: optional(
    decoded(
      cursors.decode,
      'What the call before told as its `cursor`, for the same number',
      'is not a cursor of this call: leave it out to begin anew',
    ),
  ),
});

const Erasure = v.object({
  erased: v.pipe(Counts, v.description('Since the first of the calls that a cursor joins')),
  left: v.pipe(v.array(Left), v.readonly(), v.description('What this call met and left, and why')),
  cursor: optional(v.string(), 'There is more to do: call again with it'),
});

const route = routesOn({ tag: 'Contacts', access: 'workspace' });

export const contactRoutes = [
  route('DELETE /api/contacts/{phone}', {
    summary: 'Erase a person by their number from everything that the workspace keeps; call until no cursor comes',
    description:
      'Events, chats and logged attempts are deleted; sends and the ledger are emptied of what names the person. `left` says what stays and why.',
    conflict: 'It is the number of an account of this workspace',
    erases: true,
    // A number that is mistyped must not be answered like a person of whom nothing is kept.
    ids: { phone: v.pipe(Id, v.description('International, `+` optional')) },
    query: Query,
    answers: { 200: { description: 'What was erased, and what was left', schema: Erasure } },
    run: async ({ params, query }, { ports, workspace }) => {
      const phone = toPhone(params.phone);
      if (!phone) return invalid([{ path: 'phone', message: 'must be an international number, as +15550100001' }]);
      const outcome = await eraseContact(ports, { workspace, phone, groups: query.groups === true }, query.cursor);
      if (outcome.kind === 'own number') return problem(409, 'An account of this workspace has this number');
      const { erased, left, next } = outcome;
      return json(200, { erased, left, ...(next && { cursor: cursors.encode(next) }) });
    },
  }),
];
