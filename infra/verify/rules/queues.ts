import { at, listOf, type Named, ofType, referred, type Template } from '../template.ts';

/** Queues lose nothing, and a function that feeds its own is not taken for a loop gone wild. */
export function queueFaults(template: Template): string[] {
  const mappings = ofType(template, 'AWS::Lambda::EventSourceMapping');
  return [
    ...ofType(template, 'AWS::SQS::Queue').flatMap((queue) => storageFaults(template, queue)),
    ...mappings.flatMap((mapping) => mappingFaults(template, mapping)),
    ...unreadFaults(template, mappings),
  ];
}

/** What is in a queue that no function reads waits until it is forgotten. */
function unreadFaults(template: Template, mappings: readonly Named[]): string[] {
  const read = mappings.map(({ Properties }) => referred(Properties.EventSourceArn));
  return ofType(template, 'AWS::SQS::Queue')
    .filter(({ id, Properties }) => Properties.RedrivePolicy !== undefined && !read.includes(id))
    .map(({ id }) => `${id} is read by no function: bring back its event source mapping`);
}

const FOURTEEN_DAYS = 1_209_600;

function storageFaults(template: Template, { id, Properties }: Named): string[] {
  const isDead = id.endsWith('DeadQueue');
  const dead = referred(at(Properties.RedrivePolicy, 'deadLetterTargetArn'));
  const allowed = at(Properties.RedriveAllowPolicy, 'redrivePermission');
  return [
    ...(Properties.SqsManagedSseEnabled === true ? [] : [`${id} is not encrypted`]),
    ...(allowed === (isDead ? 'byQueue' : 'denyAll') ? [] : [`${id} lets any queue use it for its dead letters`]),
    ...(isDead || (dead !== undefined && template.Resources[dead]) ? [] : [`${id} has no queue for its dead letters`]),
    ...(isDead && Properties.MessageRetentionPeriod !== FOURTEEN_DAYS
      ? [`${id} forgets sooner than an operator may come back`]
      : []),
  ];
}

function mappingFaults(template: Template, { id, Properties }: Named): string[] {
  const queueId = referred(Properties.EventSourceArn) ?? '';
  const readerId = referred(Properties.FunctionName) ?? '';
  const queue = template.Resources[queueId]?.Properties;
  const reader = template.Resources[readerId]?.Properties;
  if (!queue || !reader) return [`${id} maps nothing of this template`];
  const visible = Number(queue.VisibilityTimeout ?? 30);
  const isPartial = listOf(Properties.FunctionResponseTypes).includes('ReportBatchItemFailures');
  const isBounded = Number(at(Properties.ScalingConfig, 'MaximumConcurrency')) > 0;
  return [
    ...(visible >= 6 * Number(reader.Timeout) ? [] : [`${queueId} shows a message again after less than six timeouts`]),
    ...(Properties.Enabled === undefined || Properties.Enabled === true
      ? []
      : [`${id} is switched off, so nothing reads ${queueId}: remove Enabled`]),
    ...(Properties.FilterCriteria === undefined
      ? []
      : [`${id} deletes what its filter does not let through: remove it`]),
    ...(isPartial ? [] : [`${id} takes a batch for done or failed as a whole: set ReportBatchItemFailures`]),
    ...(isBounded ? [] : [`${readerId} may take all the concurrency that there is`]),
    ...loopFaults(template, queueId, readerId),
  ];
}

/** Lambda stops a function that feeds its own queue after some 16 rounds, unless that is said to be meant. */
function loopFaults(template: Template, queueId: string, readerId: string): string[] {
  const role = referred(template.Resources[readerId]?.Properties.Role) ?? '';
  const policies = listOf(template.Resources[role]?.Properties.Policies);
  const feeds = policies
    .flatMap((policy) => listOf(at(policy, 'PolicyDocument', 'Statement')))
    .some(
      (statement) =>
        listOf(at(statement, 'Action')).includes('sqs:SendMessage') &&
        listOf(at(statement, 'Resource')).some((resource) => referred(resource) === queueId),
    );
  const isMeant = template.Resources[readerId]?.Properties.RecursiveLoop === 'Allow';
  return feeds && !isMeant ? [`${readerId} feeds its own queue, and Lambda will stop it for that`] : [];
}
