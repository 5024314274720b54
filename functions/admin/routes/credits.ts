import * as v from 'valibot';
import { audit, lastAudit } from '#lib/credits/audit.ts';
import {
  CorrectedCredits,
  grant,
  LEDGER_KINDS,
  listLedger,
  QuotaChoice,
  ShownAudit,
  ShownCredits,
  ShownLedgerEntry,
  setQuota,
  showCredits,
} from '#lib/credits/credits.ts';
import { optional, strictObject, text } from '#lib/domain/schema.ts';
import { toIso } from '#lib/domain/time.ts';
import { isUsableKey } from '#lib/outbox/submit.ts';
import { json, problem } from '../answers.ts';
import { type AdminPorts, routesOn } from '../route.ts';
import { listOf, pageRequest, paging } from '../schemas.ts';

const route = routesOn({ tag: 'Credits', access: 'workspace' });
const credits = { 200: { description: 'The credits', schema: ShownCredits } } as const;

const Grant = strictObject({
  credits: CorrectedCredits,
  reason: v.pipe(text('For the ledger'), v.minLength(1), v.maxLength(200)),
});

async function shown(ports: AdminPorts, workspace: string) {
  const [now, audited] = await Promise.all([
    showCredits(ports, workspace, ports.config),
    lastAudit(ports.store, workspace),
  ]);
  return { ...now, ...(audited && { audit: { ...audited, asOf: toIso(audited.asOf) } }) };
}

export const creditRoutes = [
  route('GET /api/credits', {
    summary: 'What the workspace was granted, and what became of it',
    description: '`available` can be spent now; `reserved` is for messages that are on their way.',
    answers: credits,
    run: async (_, { ports, workspace }) => json(200, await shown(ports, workspace)),
  }),
  route('POST /api/credits/grants', {
    summary: 'Grant credits, or take back what was granted by mistake',
    description:
      'Adds to what the workspace may spend; below zero, takes from what is neither spent nor reserved. The reason stands in the ledger. A repeat with the same `Idempotency-Key` within a day changes nothing, and is marked `Idempotent-Replayed: true`.',
    access: 'admin',
    inWorkspace: true,
    idempotent: true,
    conflict: 'More would be taken back than there is',
    body: Grant,
    example: { credits: 100, reason: 'Bought' },
    answers: { 201: { description: 'The credits', schema: ShownCredits } },
    run: async ({ body }, { ports, workspace, idempotencyKey: key }) => {
      if (!isUsableKey(key)) return problem(400, 'The Idempotency-Key must have 1 to 255 characters');
      const granted = await grant(ports, workspace, { ...body, key }, ports.config);
      if (granted.kind === 'mismatch') return problem(422, 'The Idempotency-Key was used with another body');
      if (granted.kind === 'too much') {
        return problem(
          409,
          `Only ${granted.available} credits are neither spent nor reserved: no more can be taken back`,
        );
      }
      const headers = granted.kind === 'replayed' ? { 'idempotent-replayed': 'true' } : {};
      return { ...json(201, await shown(ports, workspace)), headers };
    },
  }),
  route('GET /api/credits/ledger', {
    summary: 'Every change of the credits, newest first',
    description:
      'What was granted, what sends took, and what came back from those that failed. Of one kind a page may hold fewer than `limit`; the last one has no `cursor`.',
    query: strictObject({ ...paging('ledger'), kind: optional(v.picklist(LEDGER_KINDS), 'These alone') }),
    answers: { 200: { description: 'A page', schema: listOf(ShownLedgerEntry) } },
    run: async ({ query: { kind, ...page } }, { ports, workspace }) =>
      json(200, await listLedger(ports.store, workspace, pageRequest(page), kind)),
  }),
  route('GET /api/credits/audit', {
    summary: 'Count every send again, and compare that with what was kept along the way; call until it is complete',
    description:
      'For when the numbers are in doubt. One call counts for a while, and the next one goes on where it ended.',
    answers: { 200: { description: 'What was found', schema: ShownAudit } },
    run: async (_, { ports, workspace }) => {
      const { ok, differences, complete, asOf } = await audit(ports, workspace);
      return json(200, { ok, differences: [...differences], complete, asOf: toIso(asOf) });
    },
  }),
  route('PUT /api/credits/quota', {
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
      return json(200, await shown(ports, workspace));
    },
  }),
];
