import * as v from 'valibot';
import { audit } from '#lib/credits/audit.ts';
import { grant, setQuota, showCredits } from '#lib/credits/credits.ts';
import {
  GrantedCredits,
  listLedger,
  QuotaChoice,
  ShownAudit,
  ShownCredits,
  ShownLedgerEntry,
} from '#lib/credits/ledger.ts';
import { text } from '#lib/domain/schema.ts';
import { toIso } from '#lib/domain/time.ts';
import { json } from '../answers.ts';
import { route, takesNothing } from '../route.ts';
import { listOf, Paging, pageRequest } from '../schemas.ts';

const shared = { ...takesNothing, tag: 'Credits' } as const;
const credits = { 200: { description: 'The credits', schema: ShownCredits } } as const;

const Grant = v.strictObject({
  credits: GrantedCredits,
  reason: v.pipe(text('For the ledger'), v.minLength(1), v.maxLength(200)),
});

export const creditRoutes = [
  route({
    ...shared,
    method: 'get',
    path: '/api/credits',
    summary: 'What the workspace was granted, and what became of it',
    description: '`available` can be spent now; `reserved` is for messages that are on their way.',
    access: 'workspace',
    answers: credits,
    run: async (_, { ports, workspace }) => json(200, await showCredits(ports, workspace, ports.config)),
  }),
  route({
    ...shared,
    method: 'post',
    path: '/api/credits/grants',
    summary: 'Grant credits',
    description: 'Adds to what the workspace may spend. The reason stands in the ledger.',
    access: 'admin',
    inWorkspace: true,
    body: Grant,
    example: { credits: 100, reason: 'Bought' },
    answers: { 201: { description: 'The credits', schema: ShownCredits } },
    run: async ({ body }, { ports, workspace }) => {
      await grant(ports, workspace, body, ports.config);
      return json(201, await showCredits(ports, workspace, ports.config));
    },
  }),
  route({
    ...shared,
    method: 'get',
    path: '/api/credits/ledger',
    summary: 'Every change of the credits, newest first',
    description: 'What was granted, what sends took, and what came back from those that failed.',
    access: 'workspace',
    query: Paging,
    answers: { 200: { description: 'A page', schema: listOf(ShownLedgerEntry) } },
    run: async ({ query }, { ports, workspace }) =>
      json(200, await listLedger(ports.store, workspace, pageRequest(query))),
  }),
  route({
    ...shared,
    method: 'get',
    path: '/api/credits/audit',
    summary: 'Count every send again, and compare that with what was kept along the way; call until it is complete',
    description:
      'For when the numbers are in doubt. One call counts for a while, and the next one goes on where it ended.',
    access: 'workspace',
    answers: { 200: { description: 'What was found', schema: ShownAudit } },
    run: async (_, { ports, workspace }) => {
      const { ok, differences, complete, asOf } = await audit(ports, workspace);
      return json(200, { ok, differences: [...differences], complete, asOf: toIso(asOf) });
    },
  }),
  route({
    ...shared,
    method: 'put',
    path: '/api/credits/quota',
    summary: 'Choose between prepaid credits and so many each month',
    description:
      'Prepaid credits last until they are spent. A monthly quota begins anew with each calendar month, in UTC.',
    access: 'admin',
    inWorkspace: true,
    body: QuotaChoice,
    example: { kind: 'prepaid' },
    answers: credits,
    run: async ({ body }, { ports, workspace }) => {
      await setQuota(ports, workspace, body, ports.config);
      return json(200, await showCredits(ports, workspace, ports.config));
    },
  }),
];
