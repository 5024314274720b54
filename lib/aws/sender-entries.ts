import type { Context } from 'aws-lambda';
import type { Clock, Log } from '#lib/domain/ports.ts';
import { attachmentFetcher } from '#lib/net/attachments.ts';
import { providerProber, providerSender } from '#lib/sender/open-accounts.ts';
import type { OutboundProvider, Sender } from '#lib/sender/provider.ts';
import { tick } from '#lib/sender/tick.ts';
import { watchdog } from '#lib/watchdog/watchdog.ts';
import { outboundAccounts } from './outgoing.ts';
import { AGAIN, hide, queueHandler, tickOf } from './queues.ts';
import { allowsPrivateHosts, type Runtime, required, sendingPorts, tasksOf } from './runtime.ts';
import { correlated } from './telemetry.ts';

/**
 * Says of each call of a provider how it ended, how long it took, and the id that the provider gave: should everything
 * else fail, the log can tell which message it was. To whom, and what, is nobody's business.
 */
export function loggedSender(sender: Sender, clock: Clock, log: Log): Sender {
  return {
    send: (message, account, deadline) =>
      correlated({ correlationId: message.messageId }, async () => {
        const startedAt = clock.monotonic();
        const outcome = await sender.send(message, account, deadline);
        log.info('called the provider', {
          account: account.id,
          provider: account.provider,
          part: message.part,
          attempt: message.attempt,
          outcome: outcome.kind,
          ...('providerId' in outcome && { providerMessageId: outcome.providerId }),
          milliseconds: Math.round(clock.monotonic() - startedAt),
        });
        return outcome;
      }),
  };
}

/** For writing the answer down after the last thing that a tick does. */
const TICK_MARGIN_MS = 1_000;

/** The Lambda that sends: one tick of one account at a time. */
export function senderHandler(providers: readonly OutboundProvider[], runtime: Runtime) {
  const { clock, environment, log, sqs } = runtime;
  const { config, ...shared } = sendingPorts(runtime);
  const ports = {
    ...shared,
    sender: loggedSender(providerSender(outboundAccounts(providers, runtime)), clock, log),
    attachments: attachmentFetcher({ allowPrivateHosts: allowsPrivateHosts(environment), clock }),
  };
  const queueUrl = required(environment, 'HOOKLINE_TICKS_QUEUE_URL');
  return queueHandler(async ({ body, messageId, receiptHandle, attributes }, context) => {
    const run = {
      id: `${context.awsRequestId}/${messageId}`,
      endsAt: clock.monotonic() + context.getRemainingTimeInMillis() - TICK_MARGIN_MS,
      received: {
        times: Number(attributes.ApproximateReceiveCount),
        firstAt: Number(attributes.ApproximateFirstReceiveTimestamp),
      },
    };
    const result = await tick(tickOf(body), run, ports, config);
    if (result.kind === 'done') return result.why;
    // Another tick holds the account. Should its run be dead, this one takes over.
    await hide(sqs, queueUrl, receiptHandle, result.seconds);
    return AGAIN;
  }, log);
}

/** A task that was begun is to end: asking a provider takes up to 8 s, and what it says is then written down. */
const WATCHDOG_MARGIN_MS = 12_000;

/** The Lambda that looks, each minute, for what a lost tick or a crash has left behind. */
export function watchdogHandler(providers: readonly OutboundProvider[], runtime: Runtime) {
  const { clock, log } = runtime;
  const { config, ...shared } = sendingPorts(runtime);
  const openAccounts = outboundAccounts(providers, runtime);
  const prober = providerProber(openAccounts, clock);
  const ports = { ...shared, tasks: tasksOf(runtime), prober, openAccounts };
  const run = async (endsAt: number) => {
    try {
      await watchdog(ports, endsAt, config);
    } catch (error) {
      for (const cause of error instanceof AggregateError ? error.errors : [error]) {
        log.error('a task of the watchdog failed', cause);
      }
      // For the alarm; the next run takes everything up again.
      throw error;
    }
  };
  return async (_event: unknown, context: Context): Promise<void> => {
    const endsAt = clock.monotonic() + context.getRemainingTimeInMillis() - WATCHDOG_MARGIN_MS;
    await correlated({ requestId: context.awsRequestId }, () => run(endsAt));
  };
}
