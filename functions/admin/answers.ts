import * as v from 'valibot';
import { Issue } from '#lib/domain/issue.ts';

/** Every error of the hub has this shape; `status` repeats the HTTP status. */
export const Problem = v.object({
  status: v.number(),
  data: v.object({}),
  message: v.pipe(v.string(), v.description('One sentence')),
  issues: v.exactOptional(v.array(Issue)),
});

/** What a route can answer, by status: for the types of its code, and for the document. */
export interface Answers {
  readonly [status: number]: JsonAnswer | FileAnswer | EmptyAnswer;
}
interface JsonAnswer {
  readonly description: string;
  readonly schema: v.GenericSchema;
}
interface FileAnswer {
  readonly description: string;
  readonly mediaType: string;
}
interface EmptyAnswer {
  readonly description: string;
}

export interface JsonReply<Status extends number, Body> {
  readonly kind: 'json';
  readonly status: Status;
  readonly body: Body;
}
export interface FileReply {
  readonly kind: 'file';
  readonly body: string | Uint8Array<ArrayBuffer>;
  readonly headers: Readonly<Record<string, string>>;
}
export interface EmptyReply {
  readonly kind: 'empty';
}
export interface ProblemReply {
  readonly kind: 'problem';
  readonly status: 400 | 401 | 402 | 403 | 404 | 405 | 409 | 413 | 422 | 429 | 500 | 503;
  readonly message: string;
  readonly issues?: readonly Issue[];
  readonly headers?: Readonly<Record<string, string>>;
}
export type AnyReply = JsonReply<number, unknown> | FileReply | EmptyReply | ProblemReply;

type ReplyOf<Status, Declared> = Declared extends { readonly schema: infer Schema extends v.GenericSchema }
  ? JsonReply<Status & number, v.InferOutput<Schema>>
  : Declared extends { readonly mediaType: string }
    ? FileReply
    : EmptyReply;

/** Only what is declared can be answered, beside a problem. */
export type Reply<Declared extends Answers> =
  | { [Status in keyof Declared]: ReplyOf<Status, Declared[Status]> }[keyof Declared]
  | ProblemReply;

export const json = <const Status extends number, const Body>(status: Status, body: Body): JsonReply<Status, Body> => ({
  kind: 'json',
  status,
  body,
});

export const file = (body: FileReply['body'], headers: FileReply['headers']): FileReply => ({
  kind: 'file',
  body,
  headers,
});

export const EMPTY: EmptyReply = { kind: 'empty' };

export const problem = (
  status: ProblemReply['status'],
  message: string,
  extra: Pick<ProblemReply, 'issues' | 'headers'> = {},
): ProblemReply => ({ kind: 'problem', status, message, ...extra });

/** The same for what never was, what is gone, and what belongs to another workspace. */
export const missing = (kind: string): ProblemReply => problem(404, `No ${kind} has this id in this workspace`);

/** Workspaces are looked for with the admin key alone, which may know of all. */
export const NO_WORKSPACE = problem(404, 'No workspace has this id');

/** Says the first fault in the sentence itself; who sees no more than that knows what to mend. */
export function invalid(issues: readonly Issue[]): ProblemReply {
  const [first, ...more] = issues;
  const said = [first?.path, first?.message].filter(Boolean).join(' ');
  const others = more.length > 0 ? ` (and ${more.length} more; see the issues)` : '';
  return problem(422, `The request is not valid: ${said}${others}`, { issues });
}

export function responseOf(reply: AnyReply): Response {
  switch (reply.kind) {
    case 'json':
      return Response.json(reply.body, { status: reply.status });
    case 'file':
      return new Response(reply.body, { headers: reply.headers });
    case 'empty':
      return new Response(null, { status: 204 });
    case 'problem': {
      const { status, message, issues, headers = {} } = reply;
      const body = { status, data: {}, message, ...(issues && { issues }) };
      return Response.json(body, { status, headers });
    }
  }
}
