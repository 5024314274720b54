/** One route of an HTTP API, such as `POST /hooks/cooby/{token}`, and what answers it. */
export interface Route<Target> {
  readonly key: string;
  readonly target: Target;
}

export interface Match<Target> {
  readonly route: Route<Target>;
  readonly pathParameters: Readonly<Record<string, string>>;
}

interface Candidate<Target> extends Match<Target> {
  /** How exactly the route names the request; compared from left to right, the higher wins. */
  readonly rank: string;
}

/**
 * The route that API Gateway would choose: a written segment before a parameter, a parameter before a greedy one,
 * and a named method before ANY. The path is already decoded, segment by segment.
 */
export function matchRoute<Target>(
  routes: readonly Route<Target>[],
  method: string,
  path: readonly string[],
): Match<Target> | undefined {
  return routes
    .flatMap((route) => candidate(route, method, path) ?? [])
    .sort((a, b) => (a.rank < b.rank ? 1 : -1))
    .at(0);
}

function candidate<Target>(
  route: Route<Target>,
  method: string,
  path: readonly string[],
): Candidate<Target> | undefined {
  const [routeMethod, routePath = ''] = route.key.split(' ');
  if (routeMethod !== method && routeMethod !== 'ANY') return undefined;
  const pathParameters: Record<string, string> = {};
  let rank = '';
  const segments = routePath.split('/').slice(1);
  for (const [index, segment] of segments.entries()) {
    const given = path[index];
    if (given === undefined) return undefined;
    const [, name, greedy] = /^\{(\w+)(\+?)\}$/.exec(segment) ?? [];
    if (greedy) {
      pathParameters[name ?? ''] = path.slice(index).join('/');
      return { route, pathParameters, rank: `${rank}0${methodRank(routeMethod)}` };
    }
    if (name === undefined && segment !== given) return undefined;
    if (name !== undefined) pathParameters[name] = given;
    rank += name === undefined ? '2' : '1';
  }
  return path.length === segments.length
    ? { route, pathParameters, rank: `${rank}${methodRank(routeMethod)}` }
    : undefined;
}

function methodRank(method: string): string {
  return method === 'ANY' ? '0' : '1';
}
