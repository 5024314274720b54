import { cooby } from '#functions/cooby/provider.ts';
import { describeDuties } from '#test/support/describe-duties.ts';
import { groupImage, older, text, tooBig, voice } from './payloads.ts';

describeDuties(cooby, {
  payloads: [text, groupImage, tooBig, voice, older],
  private: ['good morning', 'Ana Ruiz', '15550100099', 'lee@example.com'],
});
