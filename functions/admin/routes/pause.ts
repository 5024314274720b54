import * as v from 'valibot';
import { ShownAccount, shownAccount } from '#lib/app/accounts/account.ts';
import { findAccount } from '#lib/app/accounts/manage.ts';
import { pause, resume } from '#lib/app/sending/hold.ts';
import { optional } from '#lib/domain/schema.ts';
import { json, missing } from '../answers.ts';
import { type Context, route, takesNothing } from '../route.ts';
import { WithId } from '../schemas.ts';

const NO_ACCOUNT = missing('account');
const shared = { ...takesNothing, method: 'post', tag: 'Accounts', access: 'workspace', params: WithId } as const;
const answers = { 200: { description: 'The account', schema: ShownAccount } } as const;

const Reason = v.strictObject({ reason: optional(v.pipe(v.string(), v.minLength(1), v.maxLength(200))) });

/** Its owner's word, beside the provider's: neither undoes the other, but for the owner's resume, which clears both. */
export const pauseRoutes = [
  route({
    ...shared,
    path: '/api/accounts/{id}/pause',
    summary: 'Let an account send nothing for now; what it takes on waits',
    body: Reason,
    example: { reason: 'Closed until Monday' },
    answers,
    run: async ({ params: { id }, body }, context) => {
      const { ports, workspace } = context;
      if (!(await findAccount(ports.store, workspace, id))) return NO_ACCOUNT;
      await pause(ports, id, body.reason ?? 'paused by an operator', ports.config);
      return shown(context, id);
    },
  }),
  route({
    ...shared,
    path: '/api/accounts/{id}/resume',
    summary: 'Let an account send again, whoever stopped it',
    answers,
    run: async ({ params: { id } }, context) => {
      const { ports, workspace } = context;
      if (!(await findAccount(ports.store, workspace, id))) return NO_ACCOUNT;
      await resume(ports, id, ports.config);
      return shown(context, id);
    },
  }),
];

async function shown({ ports, workspace }: Context, id: string) {
  const account = await findAccount(ports.store, workspace, id);
  return account ? json(200, shownAccount(account)) : NO_ACCOUNT;
}
