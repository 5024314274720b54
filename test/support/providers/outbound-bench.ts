import { systemClock } from '#lib/aws/runtime.ts';
import type { SendOutcome } from '#lib/domain/send/outcome.ts';
import { providerHttp } from '#lib/net/provider-call.ts';
import type { OpenAccount, OutboundAccount, OutboundProvider, OutboundTools, Outgoing } from '#lib/sender/provider.ts';
import { accountKey, sendKey } from '#lib/store/keys.ts';
import { sendingStart } from '#lib/tenants/accounts.ts';

export interface Posted {
  readonly account: string;
  readonly body: object;
  readonly delaySeconds: number;
}

/** What a provider's folder sends with: true HTTP to servers on this machine, and a list for what it posts to itself. */
export function outboundTools(posted: Posted[] = []): OutboundTools {
  return {
    http: providerHttp({ reach: { anyPort: true, privateHosts: true }, clock: systemClock }),
    clock: systemClock,
    selfPost: {
      post: async (account, body, delaySeconds) => {
        posted.push({ account: account.id, body, delaySeconds });
        return true;
      },
    },
  };
}

const ACCOUNT: OutboundAccount = { id: 'acc_1', provider: 'any', channel: 'whatsapp', phone: '+15550100001' };

export function openFor(
  provider: OutboundProvider,
  credentials: unknown,
  account: Partial<OutboundAccount> = {},
  tools = outboundTools(),
): OpenAccount {
  const opened = provider.open({ ...ACCOUNT, provider: provider.name, ...account }, credentials, tools);
  if (!opened) throw new Error('the credentials are not what the provider needs');
  return opened;
}

export function outgoing(over: Partial<Outgoing> = {}): Outgoing {
  return {
    messageId: 'wa_backend:3EB0A1B2C3D4E5F60718',
    part: 0,
    attempt: 1,
    recipient: { phone: '+12025550142' },
    content: { kind: 'text', text: 'Line one\nLine two ☀' },
    ...over,
  };
}

/** Bytes that a reader of lines would spoil. */
export const BYTES = Buffer.from([0x25, 0x50, 0x44, 0x46, 0, 13, 10, 45, 45, 255, 254]);

export const fileNamed = (name: string, mimeType: string): Outgoing['content'] => ({
  kind: 'file',
  name,
  mimeType,
  bytes: BYTES,
});

/** An account as it is kept. */
export const accountItem = (provider: string) => ({
  ...accountKey('acc_1'),
  id: 'acc_1',
  workspace: 'main',
  provider,
  channel: 'whatsapp',
  scope: 'acc_1',
  ...sendingStart('acc_1', { minMs: 1600, maxMs: 2400 }),
  createdAt: '2026-01-01T00:00:00.000Z',
  connectedAt: '2026-01-01T00:00:00.000Z',
});

/** A send of one text whose answer never came. */
export const unknownSend = (
  provider: string,
  recipient: Readonly<Record<string, string>>,
  text: string,
  intentAt: number,
) => ({
  ...sendKey('m'),
  messageId: 'm',
  workspace: 'main',
  accountId: 'acc_1',
  provider,
  scope: 'acc_1',
  recipient,
  epoch: 'lifetime',
  seq: 1,
  createdAt: 1,
  parts: [{ kind: 'text', text, state: 'unknown', creditState: 'reserved', attempts: 1, intentAt }],
  history: [],
});

export const within = (milliseconds: number) => systemClock.monotonic() + milliseconds;

/** An outcome in one line: `retry(5 to hold, after 7000)`. */
export function inShort(outcome: SendOutcome): string {
  if (outcome.kind !== 'retry') return outcome.kind;
  const { holdAfter, retryAfterMs } = outcome;
  const more = [holdAfter && `held after ${holdAfter}`, retryAfterMs !== undefined && `wait ${retryAfterMs}`].filter(
    Boolean,
  );
  return ['retry', ...more].join(', ');
}
