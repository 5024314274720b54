import { timelinesAi } from '#functions/timelinesai/provider.ts';
import { describeDuties } from '#test/support/describe-duties.ts';
import { fixture } from './fixtures.ts';

describeDuties(timelinesAi, {
  payloads: [
    fixture('message-received'),
    ...['message-sent-by-api', 'message-in-group', 'reaction', 'call', 'chat-assigned'].map(fixture),
    ...['account-connected', 'envelope'].map(fixture),
    // A message of the same id in a chat of its own.
    { ...fixture('bundle'), chat_id: 510299 },
  ],
  private: ['the signed form', 'Ana Ruiz', '15550100099', 'lee@example.com'],
});
