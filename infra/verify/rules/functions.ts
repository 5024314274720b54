import { at, type Named, ofType, referred, type Template } from '../template.ts';

/** API Gateway hangs up after 30 s, whatever the function still does. */
const LONGEST_ANSWER = 29;

export function functionFaults(template: Template): string[] {
  const answering = new Set(
    ofType(template, 'AWS::ApiGatewayV2::Integration').map(({ Properties }) => referred(Properties.IntegrationUri)),
  );
  return [
    ...ofType(template, 'AWS::Lambda::Function').flatMap((one) => hostFaults(one, answering.has(one.id))),
    ...gatewayFaults(template),
  ];
}

function hostFaults({ id, Properties }: Named, answers: boolean): string[] {
  const must: readonly [boolean, string][] = [
    [Properties.Runtime === 'nodejs24.x', 'does not run on Node.js 24'],
    [at(Properties.Architectures, 0) === 'arm64', 'does not run on arm64'],
    [Number(Properties.MemorySize) >= 256, 'starts slowly for want of memory'],
    [Properties.ReservedConcurrentExecutions !== 0, 'is switched off: reserve more than no concurrency, or none'],
    [!answers || Number(Properties.Timeout) <= LONGEST_ANSWER, 'may take longer than API Gateway waits'],
  ];
  return must.filter(([holds]) => !holds).map(([, fault]) => `${id} ${fault}`);
}

/** The functions answer for other origins themselves: a setting of the API would override them. */
function gatewayFaults(template: Template): string[] {
  const apis = ofType(template, 'AWS::ApiGatewayV2::Api');
  const stages = ofType(template, 'AWS::ApiGatewayV2::Stage');
  return [
    ...apis.filter(({ Properties }) => Properties.CorsConfiguration !== undefined).map(({ id }) => `${id} sets CORS`),
    ...stages.flatMap((stage) => limitFaults(template, stage)),
  ];
}

function limitFaults(template: Template, { id, Properties }: Named): string[] {
  const all = Properties.DefaultRouteSettings;
  if (!isLimited(all)) return [`${id} has no limit on requests: set ThrottlingRateLimit and ThrottlingBurstLimit`];
  return ofType(template, 'AWS::ApiGatewayV2::Route')
    .map((route) => String(route.Properties.RouteKey))
    .filter((route) => ASKS_ITS_OWN.test(route) && !isLimited(at(Properties.RouteSettings, route), all))
    .map((route) => `${id} has no lower limit for ${route}: set it in RouteSettings`);
}

/** What people and their scripts call: fast enough for them, too slow to guess a key or to crowd out webhooks. */
const ASKS_ITS_OWN = /^(ANY|POST) \/(api\/|send\/\{token\})/;

const LIMITS = ['ThrottlingRateLimit', 'ThrottlingBurstLimit'];

function isLimited(settings: unknown, below?: unknown): boolean {
  return LIMITS.every((name) => {
    const limit = Number(at(settings, name));
    return limit > 0 && (below === undefined || limit < Number(at(below, name)));
  });
}
