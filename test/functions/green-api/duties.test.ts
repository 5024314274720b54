import { greenApi } from '#functions/green-api/provider.ts';
import { sha256 } from '#lib/domain/ids.ts';
import { describeDuties } from '#test/support/describe-duties.ts';
import { call, incoming, quota, status } from './payloads.ts';

describeDuties(greenApi, {
  payloads: [incoming(), status, call, quota],
  webhook: { secretHash: sha256('header-token'), instance: '7999000111' },
  headers: { authorization: 'Bearer header-token' },
  private: ['Is the blue one', '12025550142', 'header-token'],
});
