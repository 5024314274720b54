import { existsSync } from 'node:fs';

/** What a function may do beside writing its own log, by the work that it does. A list is added to on purpose. */
export interface Reach {
  /** The keys of items that it reads by GetItem, BatchGetItem or Query. */
  readonly reads: readonly string[];
  /** The keys of the indexes that it queries. */
  readonly lists: readonly string[];
  readonly writes: readonly string[];
  /** The folders of the functions to whose queues it sends. */
  readonly sends: readonly string[];
  /** What it does with parameters in SSM, each named below the stage's own prefix. */
  readonly parameters: readonly (readonly [action: string, name: string])[];
}

/** Takes a webhook in: sees its token and the event, and neither admin keys nor accounts. */
const RECEIVES: Reach = {
  reads: ['EVT#*', 'HOOK#*'],
  lists: [],
  writes: ['ATT#*', 'CHAT#*', 'EVT#*', 'PID#*', 'QUAR#*'],
  sends: ['fallback'],
  parameters: [],
};

/** Takes in as well what became of sends, settles them and pauses accounts: of a provider through which we send. */
const REPORTS: Reach = {
  reads: [...RECEIVES.reads, 'ACC#*', 'MSG#*', 'PID#*', 'WS#*'],
  lists: [],
  writes: [...RECEIVES.writes, 'ACC#*', 'MSG#*', 'WS#*'],
  sends: ['fallback', 'sender'],
  parameters: [],
};

const REACHES: Readonly<Record<string, Reach>> = {
  admin: {
    reads: every('ACC ATT CHAT EVT HOOK KEY MSG PID QUAR WS', 'WORKSPACES'),
    lists: ['CHAT#*', 'WS#*'],
    writes: every('ACC ATT CHAT EVT HOOK KEY MSG PID QUAR WS', 'WORKSPACES'),
    sends: ['sender'],
    parameters: [
      ['ssm:GetParameter', 'admin-key'],
      ['ssm:PutParameter', 'accounts/*'],
      ['ssm:DeleteParameter', 'accounts/*'],
    ],
  },
  /** What every provider's webhooks do, for those that the table refused. */
  fallback: {
    ...REPORTS,
    reads: [...REPORTS.reads, 'FALLBACK#*'],
    writes: [...REPORTS.writes, 'FALLBACK#*'],
    sends: ['sender'],
  },
  send: {
    reads: every('ACC CHAT HOOK IDEM WS'),
    lists: ['WS#*#PCHAT#*', 'WS#*#TITLE#*'],
    writes: every('ACC ATT IDEM MSG WS'),
    sends: ['sender'],
    parameters: [],
  },
  /** Never sees the token of a webhook. */
  sender: {
    reads: every('ACC MSG PID'),
    lists: [],
    writes: every('ACC CHAT EVT MSG PID WS'),
    sends: ['sender', 'fallback'],
    parameters: [['ssm:GetParameter', 'accounts/*']],
  },
  watchdog: {
    reads: every('ACC EVT MSG PID'),
    lists: ['DUE#*', 'WS#*#EVT#*'],
    writes: every('ACC CHAT EVT MSG PID WS'),
    sends: ['sender'],
    parameters: [['ssm:GetParameter', 'accounts/*']],
  },
};

function every(prefixes: string, ...whole: string[]): string[] {
  return [...prefixes.split(' ').map((prefix) => `${prefix}#*`), ...whole];
}

/** By the folder in `functions/`; one that is not named above is a provider's. */
export function reachOf(folder: string): Reach {
  const named = Object.hasOwn(REACHES, folder) ? REACHES[folder] : undefined;
  return named ?? (existsSync(`functions/${folder}/outbound.ts`) ? REPORTS : RECEIVES);
}
