import { at, ofType, referred, type Template } from '../template.ts';

/** Logs say what happened, never a token, and not for ever. */
export function logFaults(template: Template): string[] {
  return [...retentionFaults(template), ...accessLogFaults(template)];
}

/** Lambda makes a group that is kept for ever where the template has none. */
function retentionFaults(template: Template): string[] {
  const groups = ofType(template, 'AWS::Logs::LogGroup');
  const names = groups.map(({ Properties }) => Properties.LogGroupName);
  const without = ofType(template, 'AWS::Lambda::Function').filter(
    ({ Properties }) => !names.includes(`/aws/lambda/${String(Properties.FunctionName)}`),
  );
  return [
    ...without.map(({ id }) => `${id} has no log group of its own`),
    ...groups
      .filter(({ Properties }) => !(Number(Properties.RetentionInDays) <= 90))
      .map(({ id }) => `${id} is kept for ever, or longer than 90 days`),
  ];
}

/** The path of a webhook ends in its token; what a caller sends may be anything. */
const TELLTALE = /\$context\.(path|http\.path|customDomain|identity\.(sourceIp|userAgent|user)|authorizer)|\$request/;

function accessLogFaults(template: Template): string[] {
  return ofType(template, 'AWS::ApiGatewayV2::Stage').flatMap(({ id, Properties }) => {
    const format = String(at(Properties.AccessLogSettings, 'Format') ?? '');
    const group = referred(at(Properties.AccessLogSettings, 'DestinationArn'));
    return [
      ...(group !== undefined && template.Resources[group] ? [] : [`${id} logs nothing`]),
      ...(format.includes('$context.routeKey') ? [] : [`${id} does not log the route`]),
      ...(TELLTALE.test(format) ? [`${id} logs the path of a request, or who sent it`] : []),
    ];
  });
}
