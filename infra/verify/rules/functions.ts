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
    ...stages
      .filter(({ Properties }) => !(Number(at(Properties.DefaultRouteSettings, 'ThrottlingRateLimit')) > 0))
      .map(({ id }) => `${id} has no limit on requests`),
  ];
}
