import { change, type PlantedFault } from './plant.ts';

/** One value of a resource that is not what it was; removed where there is no other. */
const set = (name: string, path: readonly (string | number)[], value: unknown, found: RegExp): PlantedFault => ({
  name,
  plant: (resources) => change(resources, path, value),
  found,
});

const SENDER = 'SenderEventSourceMappingSQSTicksQueue';
const FALLBACK = 'FallbackEventSourceMappingSQSFallbackQueue';
const RULE = 'WatchdogEventsRuleSchedule1';

export const offFaults: readonly PlantedFault[] = [
  set(
    'a table whose TTL is off',
    ['Table', 'Properties', 'TimeToLiveSpecification', 'Enabled'],
    false,
    /Table never forgets/,
  ),
  set(
    'a table whose recovery is off',
    ['Table', 'Properties', 'PointInTimeRecoverySpecification', 'PointInTimeRecoveryEnabled'],
    false,
    /Table cannot be restored: switch point-in-time recovery on/,
  ),
  set(
    'a table without a stream',
    ['Table', 'Properties', 'StreamSpecification'],
    undefined,
    /Table does not tell of its/,
  ),
  set(
    'a table that may be deleted',
    ['Table', 'Properties', 'DeletionProtectionEnabled'],
    false,
    /Table goes away with its stack: retain it, and protect it/,
  ),
  set('a table that nothing retains', ['Table', 'DeletionPolicy'], undefined, /Table goes away with its stack/),
  {
    name: 'a table that another stage has named like dev',
    plant: (resources) => {
      change(resources, ['Table', 'Properties', 'TableName'], 'hookline-not-dev');
      change(resources, ['Table', 'DeletionPolicy'], 'Delete');
    },
    found: /Table goes away with its stack/,
  },
  set(
    'a replaced table that is lost',
    ['Table', 'UpdateReplacePolicy'],
    'Delete',
    /Table goes away when it is replaced/,
  ),

  set(
    'a watchdog that is switched off',
    [RULE, 'Properties', 'State'],
    'DISABLED',
    /Schedule1 is switched off: set State/,
  ),
  set(
    'a watchdog that nothing calls',
    [RULE, 'Properties', 'Targets'],
    [],
    /WatchdogLambdaFunction is called by no schedule/,
  ),
  set('a watchdog without a schedule', [RULE], undefined, /WatchdogLambdaFunction is called by no schedule/),
  set(
    'a watchdog that comes once a day',
    [RULE, 'Properties', 'ScheduleExpression'],
    'rate(1 day)',
    /Schedule1 does not call WatchdogLambdaFunction every minute/,
  ),
  set(
    'a watchdog that its rule may not call',
    ['WatchdogLambdaPermissionEventsRuleSchedule1'],
    undefined,
    /Schedule1 may not call WatchdogLambdaFunction/,
  ),

  set(
    'a sender that does not read',
    [SENDER, 'Properties', 'Enabled'],
    false,
    /TicksQueue is switched off, so nothing reads/,
  ),
  set('a fallback that does not read', [FALLBACK, 'Properties', 'Enabled'], false, /FallbackQueue is switched off/),
  set(
    'a function that may not run',
    ['CoobyLambdaFunction', 'Properties', 'ReservedConcurrentExecutions'],
    0,
    /CoobyLambdaFunction is switched off/,
  ),
  set(
    'a queue that nobody reads',
    [SENDER],
    undefined,
    /TicksQueue is read by no function: bring back its event source/,
  ),
  set(
    'a sender whose batches fail as a whole',
    [SENDER, 'Properties', 'FunctionResponseTypes'],
    undefined,
    /SenderEventSourceMappingSQSTicksQueue takes a batch for done or failed as a whole: set ReportBatch/,
  ),
  set(
    'a filter that deletes messages',
    [FALLBACK, 'Properties', 'FilterCriteria'],
    { Filters: [{ Pattern: '{"body":["x"]}' }] },
    /FallbackQueue deletes what its filter does not let through/,
  ),

  set(
    'routes without limits of their own',
    ['HttpApiStage', 'Properties', 'RouteSettings'],
    undefined,
    /HttpApiStage has no lower limit for ANY \/api\/\{proxy\+\}(.|\n)*HttpApiStage has no lower limit for POST \/send\/\{token\}/,
  ),
  set(
    'a limit of a route that is none',
    ['HttpApiStage', 'Properties', 'RouteSettings', 'POST /send/{token}', 'ThrottlingBurstLimit'],
    100_000,
    /HttpApiStage has no lower limit for POST \/send\/\{token\}/,
  ),
  set(
    'no limit on bursts',
    ['HttpApiStage', 'Properties', 'DefaultRouteSettings', 'ThrottlingBurstLimit'],
    undefined,
    /HttpApiStage has no limit on requests/,
  ),
  set('no access log', ['HttpApiStage', 'Properties', 'AccessLogSettings'], undefined, /HttpApiStage logs nothing/),
];
