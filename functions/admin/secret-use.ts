import type { Provider } from '#lib/app/provider.ts';
import { invalid, type ProblemReply } from './answers.ts';

/** What is said to who gives a webhook for sending what only one for receiving takes. */
export const NOT_OF_SENDING = new Map([
  ['provider', 'is not taken for sending: the account of each message says through whom it goes'],
  ['accountId', 'is not taken for sending: each message may name its account'],
  ['secret', 'is not taken for sending: its URL alone is the credential'],
]);

interface Proven {
  readonly kind: 'receive' | 'send';
  readonly provider?: string | undefined;
}

/** A secret that nothing checks would only seem to protect: undefined where the provider's deliveries are checked by it. */
export function uselessSecret(
  providers: readonly Provider[],
  { kind, provider: name }: Proven,
): ProblemReply | undefined {
  if (providers.find(({ account }) => account.name === name)?.receiving.proofOf) return undefined;
  const ofReceiving = `is not taken: ${name} proves itself by its URL alone`;
  const message = (kind === 'send' && NOT_OF_SENDING.get('secret')) || ofReceiving;
  return invalid([{ path: 'secret', message }]);
}
