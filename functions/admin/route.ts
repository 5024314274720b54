import * as v from 'valibot';
import { isRecord, type Json, parseJson } from '#lib/domain/json.ts';
import type { Log, Metrics, Secrets } from '#lib/domain/ports.ts';
import { issuesOf, strictObject } from '#lib/domain/schema.ts';
import type { Reach } from '#lib/domain/url.ts';
import type { RequestRules } from '#lib/outbox/request.ts';
import type { Reaches } from '#lib/outbox/resolve.ts';
import type { Tasks } from '#lib/reactions/delivery.ts';
import type { BudgetPorts } from '#lib/reactions/untrusted.ts';
import type { SendingConfig } from '#lib/sender/config.ts';
import type { TestableAccounts } from '#lib/sender/open-accounts.ts';
import type { ProviderHttp, Ticks } from '#lib/sender/provider.ts';
import type { StorePorts } from '#lib/store/retry.ts';
import type { Provider } from '#lib/tenants/account.ts';
import type { Scope } from '#lib/tenants/api-keys.ts';
import { type Answers, invalid, type ProblemReply, problem, type Reply, type ReplyOf } from './answers.ts';
import type { Caller } from './auth.ts';
import { Id } from './schemas.ts';

/** What the API reaches outside of itself. */
export interface AdminPorts extends StorePorts, BudgetPorts {
  readonly secrets: Secrets;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly ticks: Ticks;
  /** Of sending. */
  readonly config: SendingConfig;
  /** What can be sent through which provider. */
  readonly reaches: Reaches;
  /** Of what is handed in for sending. */
  readonly rules: RequestRules;
  readonly providers: readonly Provider[];
  /** The accounts at their providers, for a test of one. */
  readonly openAccounts: TestableAccounts;
  /** What base URLs in credentials may lead to. */
  readonly reach: Reach;
  /** Calls of endpoints, for a test of one. */
  readonly http: ProviderHttp;
  readonly endpointReach: Reach;
  /** The queue of deliveries. */
  readonly tasks: Tasks;
  /** The address that rules send e-mail from; undefined where this hub sends none. */
  readonly mailFrom: string | undefined;
  readonly version: string;
}

/** The subjects of the API, for the document. */
export const TAGS = {
  Session: 'Signing in, for the console',
  Activity: 'What goes on: whether anything changed, and how much there was',
  Workspaces: 'What keeps customers or teams apart, and the keys that open it',
  Accounts: 'The numbers and instances at providers',
  Webhooks: 'The URLs that providers and automations post to, and the log of what was posted',
  Events: 'Everything that was received, understood or not',
  Messages: 'The messages among the events',
  Chats: 'Whom messages come from and go to, people and groups',
  Contacts: 'Erasing a person',
  Sends: 'What was handed in for sending, and what has become of it',
  Endpoints: 'Where notices of yours are posted to, and what became of them',
  Rules: 'When this comes in, do that',
  Credits: 'What a workspace may send, and the ledger of it',
  Hub: 'The hub itself',
};

/** `workspace`: any key, for the workspace that it opens. `admin`: the admin key alone. */
type Access = 'public' | 'workspace' | 'admin';

/** What every route is handed beside its own input. */
export interface Context {
  readonly ports: AdminPorts;
  /** The workspace that the caller works in. */
  readonly workspace: string;
  /** Where this hub is reached from outside, without a slash at the end. */
  readonly baseUrl: string;
  /** Wherever this hub is known to be reached: from outside, and as this call has reached it. */
  readonly origins: readonly string[];
  readonly caller: Caller;
  /** The token in the cookie. */
  readonly session: string | undefined;
  readonly sourceIp: string;
  /** The header `Idempotency-Key`, for routes that are `idempotent`. */
  readonly idempotencyKey?: string | undefined;
}

interface RawRequest {
  readonly params: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/** What the routes of a subject have in common; each may say otherwise. */
interface Subject {
  readonly tag: keyof typeof TAGS;
  readonly access: Access;
  /** Keys of these scopes may call it as well; who may read reads whatever it is. */
  readonly scopes?: readonly Scope[];
}

interface Described {
  readonly summary: string;
  /** What one should know beside the summary, in sentences. */
  readonly description: string;
  /** The admin key alone may call it, for the workspace that is named; other routes of its are about none. */
  readonly inWorkspace?: true;
  /** It may be called for a workspace that was deleted, as all that only reads. */
  readonly erases?: true;
  /** When it answers 409; left out where it never does. */
  readonly conflict?: string;
  /** What a 429 says, of routes that bear only so many calls. */
  readonly tooMany?: string;
  /** It queues messages: credits may lack, or room. */
  readonly charges?: boolean;
  /** It takes an `Idempotency-Key`. */
  readonly idempotent?: boolean;
}

/** As OpenAPI writes a path: `GET /api/webhooks/{id}`. What stands in braces is an id. */
type Call = `${'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'} /${string}`;
type NamesIn<Path> = Path extends `${string}{${infer Name}}${infer Rest}` ? Name | NamesIn<Rest> : never;
type ParamsOf<Path> = Readonly<Record<NamesIn<Path>, string>>;

interface Declaration<Path, Query extends v.GenericSchema, Body extends v.GenericSchema, Declared extends Answers>
  extends Partial<Subject>,
    Described {
  /** Ids in the path of which there is more to say than that they are some. */
  readonly ids?: { readonly [Name in NamesIn<Path>]?: v.GenericSchema<string> };
  readonly query?: Query;
  readonly body?: Body;
  /** A body that works as it stands, to begin with. */
  readonly example?: v.InferInput<Body>;
  readonly answers: Declared;
  readonly run: (
    input: {
      readonly params: ParamsOf<Path>;
      readonly query: v.InferOutput<Query>;
      readonly body: v.InferOutput<Body>;
    },
    context: Context,
  ) => Promise<ReplyOf<Declared>>;
}

/** A route as the router and the document use it. */
export interface Route extends Subject, Described {
  /** In lower case. */
  readonly method: string;
  readonly path: string;
  readonly params: v.GenericSchema;
  readonly query: v.GenericSchema;
  readonly body: v.GenericSchema;
  readonly example?: unknown;
  readonly answers: Answers;
  readonly respond: (request: RawRequest, context: Context) => Promise<Reply>;
}

const NOTHING = strictObject({});

/** Declares the routes of a subject: one declaration checks what comes in, types what goes out and describes both. */
export function routesOn(subject: Subject) {
  function route<
    const Path extends Call,
    const Declared extends Answers,
    Query extends v.GenericSchema = typeof NOTHING,
    Body extends v.GenericSchema = typeof NOTHING,
  >(call: Path, declaration: Declaration<Path, Query, Body, Declared>): Route;
  function route(call: Call, declaration: Declaration<Call, v.GenericSchema, v.GenericSchema, Answers>): Route {
    const { run, ids = {}, query = NOTHING, body = NOTHING, ...rest } = declaration;
    const [method = '', path = ''] = call.split(' ');
    const described = new Map(Object.entries<v.GenericSchema<string>>(ids));
    const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => [name, described.get(name) ?? Id]);
    const params = v.object(Object.fromEntries(names));
    return {
      ...subject,
      ...rest,
      ...{ method: method.toLowerCase(), path, params, query, body },
      respond: async (request, context) => {
        const named = v.safeParse(params, request.params);
        // What cannot be an id is nobody's.
        if (!named.success) return NO_ID;
        const asked = v.safeParse(query, request.query);
        const sent = bodyOf(body, request.body);
        if ('status' in sent) return sent;
        if (asked.success && sent.success)
          return run({ params: named.output, query: asked.output, body: sent.output }, context);
        return invalid([asked.issues, sent.issues].flatMap((found) => issuesOf(found ?? [])));
      },
    };
  }
  return route;
}

/** Whether who has asked before can ask for what is new alone. */
export const isTagged = ({ method, path }: Pick<Route, 'method' | 'path'>): boolean =>
  method === 'get' && path.startsWith('/api/');

export function takesBody(schema: v.GenericSchema): boolean {
  const nothing: v.GenericSchema = NOTHING;
  return schema !== nothing;
}

function bodyOf<Body extends v.GenericSchema>(schema: Body, bytes: Uint8Array): v.SafeParseResult<Body> | ProblemReply {
  if (!takesBody(schema) || (bytes.length === 0 && v.is(schema, {}))) return v.safeParse(schema, {});
  const parsed = parseJson(bytes);
  if (!parsed.ok) return problem(400, `${UNREADABLE}: ${parsed.issue.message}`);
  if (!isUnicode(parsed.value)) return problem(400, `${UNREADABLE}: half a character`);
  // To valibot a list is an object, too.
  return isRecord(parsed.value) ? v.safeParse(schema, parsed.value) : NO_OBJECT;
}

/** An escape can write half of a character, which the table does not take. */
function isUnicode(value: Json): boolean {
  if (typeof value === 'string') return value.isWellFormed();
  if (value === null || typeof value !== 'object') return true;
  return Object.entries(value).every(([key, child]) => key.isWellFormed() && isUnicode(child));
}

const UNREADABLE = 'The request body cannot be read';
const NO_ID = problem(404, 'Nothing here has such an id');
const NO_OBJECT = invalid([{ path: '', message: 'the body must be an object' }]);

export const nowSeconds = ({ clock }: Pick<AdminPorts, 'clock'>): number => Math.floor(clock.now() / 1000);
