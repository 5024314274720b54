import { timelinesAi } from '#functions/timelinesai/provider.ts';
import { describeDuties } from '#test/support/describe-duties.ts';
import { fixture } from './fixtures.ts';

describeDuties(timelinesAi, {
  payloads: [
    fixture('message-received'),
    ...['message-sent-by-api', 'message-in-group', 'reaction', 'call', 'chat-assigned'].map(fixture),
    ...['account-connected', 'envelope', 'bundle'].map(fixture),
  ],
  private: ['the signed form', 'Ana Ruiz', '15550100099', 'lee@example.com'],
});
