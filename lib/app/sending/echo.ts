import type { SendingConfig } from './config.ts';
import type { EndingPorts } from './ends.ts';
import { type Found, type Look, lookFor } from './evidence.ts';
import { settleLate } from './late.ts';
import { type Echo, echoMarks, marksUnder } from './marks.ts';
import { withRetries } from './with-retries.ts';

/** The account that a message went out through, as the hub knows it. */
export type EchoedBy = Pick<Look, 'workspace' | 'provider' | 'account'>;

/**
 * A message of which a provider's webhook tells, and of which nobody knows yet that it is one of ours. It settles the
 * attempt that it can only belong to. Where there is none, or more than one, it is marked for whoever looks later.
 */
export async function onEcho(
  given: EndingPorts,
  by: EchoedBy,
  echo: Echo,
  config: SendingConfig,
): Promise<'settled' | 'no match'> {
  const ports = withRetries(given, config);
  const { store, clock } = ports;
  const look = { ...by, scopes: [], traces: echo.traces, sightings: [echo] };
  if (await settleWhere(ports, await lookFor(store, look, clock.now(), config))) return 'settled';
  await Promise.all(echoMarks(by.account, echo, clock.now(), config).map((mark) => store.write(mark)));
  // Whoever came to be unknown in between may not have seen the mark yet.
  const { unknown } = await marksUnder(store, by.account, echo.traces, clock.now());
  if (unknown.length === 0) return 'no match';
  const again = await lookFor(store, look, clock.now(), config);
  return (await settleWhere(ports, again)) ? 'settled' : 'no match';
}

async function settleWhere(ports: EndingPorts, [found]: readonly Found[]): Promise<boolean> {
  if (!found) return false;
  const { attempt, sighting } = found;
  const ending = { kind: 'sent', providerId: sighting.providerId, inferred: true } as const;
  return settleLate(ports, attempt, attempt.since, ending, attempt);
}
