import * as v from 'valibot';
import { isRecord } from '#lib/domain/json.ts';
import { toPhone } from '#lib/domain/person.ts';
import { type Issue, issuesOf, known, optional, strictObject, tally } from '#lib/domain/schema.ts';
import { toIso } from '#lib/domain/time.ts';
import { type Reach, readBaseUrl } from '#lib/domain/url.ts';
import { cancelAll } from '#lib/outbox/cancel.ts';
import { quotes } from '#lib/outbox/resolve.ts';
import { pause, probeDueOf, resume } from '#lib/sender/account.ts';
import type { Account } from '#lib/sender/items.ts';
import { TestedAccount, testAccount, testCredentials } from '#lib/sender/open-accounts.ts';
import {
  type AccountProvider,
  type Channel,
  NEEDS_PHONE,
  Pacing,
  ShownAccount,
  shownAccount,
} from '#lib/tenants/account.ts';
import { createAccount, findAccount, listAccounts, patchAccount, removeAccount } from '#lib/tenants/accounts.ts';
import { mayTry, wasRight } from '#lib/tenants/api-keys.ts';
import { EMPTY, found, invalid, json, missing, NO_WORKSPACE, type ProblemReply, problem } from '../answers.ts';
import { type AdminPorts, type Context, routesOn } from '../route.ts';
import { changesOf, listOf, Name, Paging, PhoneNumber, pageRequest } from '../schemas.ts';

const NO_ACCOUNT = missing('account');
const TAKEN = 'Another account of this workspace sends through the same instance or number; the message names it';
const taken = (by: string) =>
  problem(409, `Account ${by} sends through this instance or number: delete that one, or give other credentials`);
const tag = 'Accounts';
const route = routesOn({ tag, access: 'workspace' });

const Patch = changesOf({
  name: optional(v.nullable(Name)),
  phone: optional(v.nullable(PhoneNumber)),
  pacing: v.exactOptional(Pacing),
  credentials: optional(v.looseObject({}), 'All of them, as on creating the account'),
});

/** What an account needs depends on its provider, and of some on the channel: the document shows each. */
function newAccount(providers: readonly AccountProvider[]) {
  return v.variant(
    'provider',
    providers.map((provider) => {
      const kinds = new Map<v.GenericSchema, Channel[]>();
      for (const channel of provider.channels) {
        const credentials = provider.credentials(channel);
        kinds.set(credentials, [...(kinds.get(credentials) ?? []), channel]);
      }
      const schemas = [...kinds].map(([credentials, channels]) => newAccountOf(provider, channels, credentials));
      const [only] = schemas;
      // Without a choice to make, all that is missing is told at once.
      return only && schemas.length === 1 ? only : v.variant('channel', schemas);
    }),
  );
}

function newAccountOf(provider: AccountProvider, channels: readonly Channel[], credentials: v.GenericSchema) {
  const before = { provider: v.literal(provider.name), channel: v.picklist(channels), name: optional(Name) };
  const after = { credentials, pacing: v.exactOptional(Pacing) };
  if (!provider.isNamedByPhone) return strictObject({ ...before, phone: optional(PhoneNumber), ...after });
  return strictObject({ ...before, phone: PhoneNumber, ...after }, (issue) =>
    issue.received === 'undefined' && v.getDotPath(issue) === 'phone' ? `is missing: ${NEEDS_PHONE}` : undefined,
  );
}

const providerOf = ({ providers }: AdminPorts, name: string) =>
  providers.find(({ account }) => account.name === name)?.account;

interface Named {
  readonly provider: string;
  readonly credentials: unknown;
}

/** The provider of a new account. That the hub may not call it is told now rather than by the first message. */
function reachableOf(ports: AdminPorts, { provider: name, credentials }: Named): AccountProvider | ProblemReply {
  const provider = providerOf(ports, name);
  if (!provider) return invalid([{ path: 'provider', message: 'is not known here' }]);
  const faults = faultsIn(provider, credentials, ports.reach);
  return faults.length > 0 ? invalid(faults) : provider;
}

/** What their own schema cannot tell. */
const faultsIn = (provider: AccountProvider, credentials: unknown, reach: Reach): Issue[] => [
  ...unreachableUrls(provider, credentials, reach),
  ...oversized(credentials),
];

/** A parameter takes 4,096 bytes. */
const MOST_BYTES = 4_000;
const TOO_LONG = `are too long: they may have ${MOST_BYTES} bytes together, and no provider's are as long`;

const oversized = (credentials: unknown): Issue[] =>
  Buffer.byteLength(JSON.stringify(credentials) ?? '') > MOST_BYTES ? [{ path: 'credentials', message: TOO_LONG }] : [];

function unreachableUrls({ baseUrls = [] }: AccountProvider, credentials: unknown, reach: Reach): Issue[] {
  return baseUrls.flatMap((name) => {
    const url = isRecord(credentials) ? credentials[name] : undefined;
    const read = typeof url === 'string' ? readBaseUrl(url, reach) : undefined;
    return read?.kind === 'refused' ? [{ path: `credentials.${name}`, message: read.reason }] : [];
  });
}

/** For somebody who waits for the account alone. */
const WARNING_MS = 3_000;
/** For somebody who asked. */
const TEST_MS = 8_000;

const UNTESTED = 'Its credentials could not be tested just now: test the account later';

/** The account is there, whatever its provider or a test of it comes to. */
async function warningOf(
  ports: AdminPorts,
  account: Account,
  { canSend }: AccountProvider,
): Promise<{ readonly warning?: string }> {
  if (!canSend) return {};
  try {
    return known({ warning: (await testAccount(ports, account, WARNING_MS)).message });
  } catch (cause) {
    ports.log.error('the credentials of an account could not be tested', cause, { account: account.id });
    return { warning: UNTESTED };
  }
}

const SLOW_DOWN = problem(429, 'Too many tests that failed from this address; please wait a minute', {
  'retry-after': '60',
});
const EXAMPLE = {
  ...({ provider: 'sandbox', channel: 'whatsapp' } as const),
  ...{ name: 'Support line', phone: '+15550100001', credentials: {} },
};
const BUSY = 'Sends wait in its queue: let them go out, or cancel them by POST /api/accounts/{id}/cancel';
const Reason = strictObject({ reason: optional(v.pipe(v.string(), v.minLength(1), v.maxLength(200))) });

async function shown({ ports, workspace }: Context, id: string) {
  const account = await findAccount(ports.store, workspace, id);
  return account ? json(200, shownHere(ports, account)) : NO_ACCOUNT;
}

const shownHere = (ports: AdminPorts, account: Account): ShownAccount =>
  shownAccount(account, quotes(account.channel, ports.reaches.get(account.provider)));

const withProbe = (ports: AdminPorts, account: Account, probeAt: number | undefined): ShownAccount => ({
  ...shownHere(ports, account),
  ...(probeAt !== undefined && { probeAt: toIso(probeAt) }),
});

type NewAccount = ReturnType<typeof newAccount>;

const creating = (body: NewAccount) =>
  route('POST /api/accounts', {
    summary: 'Connect an account of a provider; its credentials are never shown again',
    description:
      'What `credentials` hold depends on the provider. An instance or number belongs to one account of a workspace. The provider is asked whether they work, for three seconds at most; a `warning` says what it says against them.',
    conflict: TAKEN,
    body,
    example: EXAMPLE,
    answers: { 201: { description: 'The account', schema: ShownAccount } },
    run: async ({ body }, { ports, workspace }) => {
      const provider = reachableOf(ports, body);
      if ('status' in provider) return provider;
      const made = await createAccount(ports, workspace, provider, body);
      if (made.kind === 'taken') return taken(made.by);
      if (made.kind === 'no workspace') return NO_WORKSPACE;
      return json(201, {
        ...shownHere(ports, made.account),
        ...(await warningOf(ports, made.account, provider)),
      });
    },
  });

/** So that nobody looks for credentials by it: a test counts before it is made, and one that is well does not. */
const testingNew = (body: NewAccount) =>
  route('POST /api/accounts/test', {
    summary: 'Ask the provider about credentials before an account is made of them',
    description:
      'The body is that of a new account. Nothing is kept, and nothing is sent. Five tests a minute that come to nothing are taken from an address.',
    tooMany: 'Too many tests from this address came to nothing',
    body,
    example: EXAMPLE,
    answers: { 200: { description: 'What the provider says', schema: TestedAccount } },
    run: async ({ body }, { ports, sourceIp }) => {
      const provider = reachableOf(ports, body);
      if ('status' in provider) return provider;
      const tries = `account ${sourceIp}`;
      if (!(await mayTry(ports, tries))) return SLOW_DOWN;
      const { channel } = body;
      const account = {
        id: 'acc_untold',
        provider: provider.name,
        channel,
        ...known({ phone: toPhone(body.phone) }),
      };
      const tested = await testCredentials(ports, account, body.credentials, TEST_MS);
      if (tested.ok) await wasRight(ports, tries);
      return json(200, tested);
    },
  });

const others = [
  route('GET /api/accounts', {
    summary: 'List accounts, newest first',
    description: 'Paused and held accounts are listed, too.',
    query: Paging('accounts'),
    answers: { 200: { description: 'A page', schema: listOf(ShownAccount) } },
    run: async ({ query }, { ports, workspace }) => {
      const { items, ...rest } = await listAccounts(ports.store, workspace, pageRequest(query));
      return json(200, { items: items.map(({ account, probeAt }) => withProbe(ports, account, probeAt)), ...rest });
    },
  }),
  route('GET /api/accounts/{id}', {
    summary: 'Show an account',
    description: 'With the length of its queue and, where it sends nothing for now, the reason.',
    answers: { 200: { description: 'The account', schema: ShownAccount } },
    run: async ({ params }, { ports, workspace }) => {
      const account = await findAccount(ports.store, workspace, params.id);
      if (!account) return NO_ACCOUNT;
      const probeAt = account.held ? await probeDueOf(ports.store, account.id) : undefined;
      return json(200, withProbe(ports, account, probeAt));
    },
  }),
  route('PATCH /api/accounts/{id}', {
    summary: "Change an account's name, phone, pace or credentials",
    description:
      'What is left out stays as it is. New credentials are given whole, and count from the next call of the provider on; it is asked as for a new account.',
    conflict: TAKEN,
    body: Patch,
    example: { name: 'Support line' },
    answers: { 200: { description: 'The account', schema: ShownAccount } },
    run: async ({ params, body: { credentials: given, ...patch } }, { ports, workspace }) => {
      const account = await findAccount(ports.store, workspace, params.id);
      const provider = account && providerOf(ports, account.provider);
      if (!account || !provider) return NO_ACCOUNT;
      const credentials =
        given && v.safeParse(v.object({ credentials: provider.credentials(account.channel) }), { credentials: given });
      if (credentials && !credentials.success) return invalid(issuesOf(credentials.issues));
      const faults = faultsIn(provider, credentials?.output.credentials, ports.reach);
      if (faults.length > 0) return invalid(faults);
      if (provider.isNamedByPhone && patch.phone === null)
        return invalid([{ path: 'phone', message: `cannot be taken away: ${NEEDS_PHONE}` }]);
      const patched = await patchAccount(ports, account, provider, { ...patch, ...credentials?.output });
      if (patched.kind === 'taken') return taken(patched.by);
      if (patched.kind === 'gone') return NO_ACCOUNT;
      const warning = credentials && (await warningOf(ports, patched.account, provider));
      return json(200, { ...shownHere(ports, patched.account), ...warning });
    },
  }),
  route('DELETE /api/accounts/{id}', {
    summary: 'Delete an account and its credentials; what came in stays',
    description: 'Refused while sends wait in its queue: cancel them first, or let them go out.',
    conflict: 'Sends are waiting in its queue',
    answers: { 204: { description: 'Deleted' } },
    run: async ({ params }, { ports, workspace }) => {
      const account = await findAccount(ports.store, workspace, params.id);
      if (!account) return NO_ACCOUNT;
      const outcome = await removeAccount(ports, account.id);
      if (outcome === 'busy') return problem(409, BUSY);
      return outcome === 'deleted' ? EMPTY : NO_ACCOUNT;
    },
  }),
  route('POST /api/accounts/{id}/test', {
    summary: 'Ask the provider whether the account can send',
    description:
      'Whether the credentials work, and from which number: asked anew each time, for eight seconds at most. Nothing is sent, and nothing changes: an account that is held goes on by itself within half an hour, or by `resume`.',
    answers: { 200: { description: 'What the provider says', schema: TestedAccount } },
    run: async ({ params }, { ports, workspace }) => {
      const account = await findAccount(ports.store, workspace, params.id);
      return account ? json(200, await testAccount(ports, account, TEST_MS)) : NO_ACCOUNT;
    },
  }),
  // Its owner's word, beside the provider's: neither undoes the other, but for the owner's resume, which clears both.
  route('POST /api/accounts/{id}/pause', {
    summary: 'Let an account send nothing for now; what it takes on waits',
    description:
      'Sends are still accepted and charged, and go out once the account is resumed. What is being sent is not stopped.',
    body: Reason,
    example: { reason: 'Closed until Monday' },
    answers: { 200: { description: 'The account', schema: ShownAccount } },
    run: async ({ params: { id }, body }, context) => {
      const { ports, workspace } = context;
      if (!(await findAccount(ports.store, workspace, id))) return NO_ACCOUNT;
      await pause(ports, id, body.reason ?? 'paused by an operator', ports.config);
      return shown(context, id);
    },
  }),
  route('POST /api/accounts/{id}/resume', {
    summary: 'Let an account send again, whoever stopped it',
    description: "Ends the pause of an operator, and the hold that a provider's refusal brought about.",
    answers: { 200: { description: 'The account', schema: ShownAccount } },
    run: async ({ params: { id } }, context) => {
      const { ports, workspace } = context;
      if (!(await findAccount(ports.store, workspace, id))) return NO_ACCOUNT;
      await resume(ports, id, ports.config);
      return shown(context, id);
    },
  }),
  route('POST /api/accounts/{id}/cancel', {
    summary: 'Take all that waits out of the queue of an account, with its credits back',
    description:
      'One call does what fits into its time; call again while `more` is true. What is being sent is not stopped, and what is handed in meanwhile waits as ever: pause the account first to send nothing at all.',
    answers: {
      200: {
        description: 'What was cancelled',
        schema: v.object({
          cancelled: tally('Sends that were taken out'),
          more: v.pipe(v.boolean(), v.description('Whether there may be more to cancel')),
        }),
      },
    },
    run: async ({ params }, { ports, workspace }) =>
      found(await cancelAll(ports, workspace, params.id, ports.config), NO_ACCOUNT),
  }),
];

export function accountRoutes(providers: readonly AccountProvider[]) {
  const body = newAccount(providers);
  return [creating(body), testingNew(body), ...others];
}
