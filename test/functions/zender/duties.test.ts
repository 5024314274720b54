import { zender } from '#functions/zender/provider.ts';
import { sha256 } from '#lib/domain/ids.ts';
import { describeDuties } from '#test/support/describe-duties.ts';
import { flat, group, notifications, secret, sms, ussd, whatsapp } from './payloads.ts';

describeDuties(zender, {
  payloads: [whatsapp, sms, group, ussd, notifications, flat],
  webhook: { secretHash: sha256(secret) },
  private: [secret, 'Hi there', '15550100099'],
  kept: (body) => Buffer.from(zender.withoutSecret?.(Buffer.from(body), 'application/json').raw ?? '').toString(),
});
