import type { OutboundProvider } from '#lib/app/sending/outbound.ts';
import { providerSender } from '#lib/app/sending/provider-sender.ts';
import { tick } from '#lib/app/sending/tick.ts';
import { attachmentFetcher } from './attachments/fetcher.ts';
import { hideTick, tickOf } from './aws/ticks.ts';
import { loggedSender } from './logged-sender.ts';
import { outboundAccounts } from './outbound-accounts.ts';
import { AGAIN, queueHandler } from './queue-handler.ts';
import { allowsPrivateHosts, type Runtime, required, sendingPorts } from './runtime.ts';

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
    await hideTick(sqs, queueUrl, receiptHandle, result.seconds);
    return AGAIN;
  }, log);
}
