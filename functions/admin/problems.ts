import { type Route, takesBody } from './route.ts';

const PROBLEM = { content: { 'application/json': { schema: { $ref: '#/components/schemas/Problem' } } } };

export const problemResponse = (description: string) => ({ description, ...PROBLEM });

/** The errors that a route can answer by what it is. */
export function problemsOf({ access, body, conflict, charges }: Route): object {
  const hasBody = takesBody(body);
  return {
    ...(hasBody && { 400: problemResponse('The body is no JSON') }),
    ...(access !== 'public' && { 401: problemResponse('No valid key') }),
    ...(charges && { 402: problemResponse('Not enough credits') }),
    ...(access === 'admin' && { 403: problemResponse('The key is not the admin key') }),
    ...(access !== 'public' && { 404: problemResponse('Unknown here: the workspace, or what the path names') }),
    ...(conflict !== undefined && { 409: problemResponse(conflict) }),
    ...(hasBody && { 413: problemResponse('The body is too large') }),
    ...(charges && { 429: problemResponse("The account's queue is full") }),
    ...(access !== 'public' && { 422: problemResponse('Not valid; `issues` says where') }),
  };
}
