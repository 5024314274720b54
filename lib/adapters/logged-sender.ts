import type { Clock, Log } from '#lib/app/ports.ts';
import type { Sender } from '#lib/app/sending/ports.ts';
import { correlated } from './correlation.ts';

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
