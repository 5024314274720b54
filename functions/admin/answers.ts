import * as v from 'valibot';
import { sha256 } from '#lib/domain/ids.ts';
import { canonicalJson } from '#lib/domain/json.ts';
import { Issue, Whole } from '#lib/domain/schema.ts';
import { problemBody } from '#lib/http/app.ts';

/** Every error of the hub has this shape; `status` repeats the HTTP status. */
export const Problem = v.object({
  status: Whole,
  data: v.object({}),
  message: v.pipe(v.string(), v.description('One sentence')),
  issues: v.exactOptional(v.array(Issue)),
});

/** What a route can answer, by status, for the types of its code and for the document: JSON, a file, or no body at all. */
export interface Answers {
  readonly [status: number]: { readonly description: string } & (
    | { readonly schema: v.GenericSchema }
    | { readonly mediaType: string }
    | { readonly schema?: never; readonly mediaType?: never }
  );
}

/** What a route answers. A body that is text or bytes goes out as it is, any other as JSON. */
export interface Reply<Status extends number = number, Body = unknown> {
  readonly status: Status;
  readonly body: Body;
  readonly headers?: Readonly<Record<string, string>>;
}
type File = string | Uint8Array<ArrayBuffer>;
export type ProblemReply = Reply<
  400 | 401 | 402 | 403 | 404 | 405 | 409 | 413 | 415 | 422 | 429 | 500 | 503,
  ReturnType<typeof problemBody>
>;

type BodyOf<Answer> = Answer extends { readonly schema: infer Schema extends v.GenericSchema }
  ? v.InferOutput<Schema>
  : Answer extends { readonly mediaType: string }
    ? File
    : undefined;

/** Only what is declared can be answered, beside a problem. */
export type ReplyOf<Declared extends Answers> =
  | { [Status in keyof Declared]: Reply<Status & number, BodyOf<Declared[Status]>> }[keyof Declared]
  | ProblemReply;

export const json = <const Status extends number, Body>(status: Status, body: Body): Reply<Status, Body> => ({
  status,
  body,
});

export const found = <Body>(body: Body | undefined, otherwise: ProblemReply) =>
  body === undefined ? otherwise : json(200, body);

export const file = (body: File, headers: Readonly<Record<string, string>>): Reply<200, File> => ({
  status: 200,
  body,
  headers,
});

export const EMPTY: Reply<204, undefined> = { status: 204, body: undefined };

export const problem = (
  status: ProblemReply['status'],
  message: string,
  headers: Readonly<Record<string, string>> = {},
): ProblemReply => ({ status, body: problemBody(status, message), headers });

/** The same for what never was, what is gone, and what belongs to another workspace. */
export const missing = (kind: string): ProblemReply => problem(404, `No ${kind} has this id in this workspace`);

/** Workspaces are looked for with the admin key alone, which may know of all. */
export const NO_WORKSPACE = problem(404, 'No workspace has this id');

/** Says the first fault in the sentence itself; who sees no more than that knows what to mend. */
export function invalid(issues: readonly Issue[]): ProblemReply {
  const [first, ...more] = issues;
  const said = [first?.path, first?.message].filter(Boolean).join(' ');
  const others = more.length > 0 ? ` (and ${more.length} more; see the issues)` : '';
  return { status: 422, body: problemBody(422, `The request is not valid: ${said}${others}`, { issues }) };
}

/** `known`: the tags of what the caller has already. */
export function responseOf({ status, body, headers = {} }: Reply, known?: string): Response {
  if (body === undefined || typeof body === 'string' || body instanceof Uint8Array)
    return new Response(body ?? null, { status, headers });
  if (known === undefined || status !== 200) return Response.json(body, { status, headers });
  // The table gives the keys of a map in any order, another one each time.
  const etag = `W/"${sha256(canonicalJson(body)).slice(0, 32)}"`;
  if (known.split(',').some((tag) => tag.trim() === etag))
    return new Response(null, { status: 304, headers: { etag } });
  return Response.json(body, { status, headers: { ...headers, etag } });
}
