import { sandbox } from '#functions/sandbox/provider.ts';
import { describeDuties } from '#test/support/describe-duties.ts';

describeDuties(sandbox, {
  payloads: [
    { event: 'message', id: 'm-1', from: '+15550100099', name: 'Ana Ruiz', text: 'good morning', at: 1772366400 },
    { event: 'message', id: 'm-2', direction: 'outbound', chat: '+15550100099', text: 'Hi', at: 1772366400 },
    { event: 'status', id: 'm-2', status: 'read', at: 1772366403 },
  ],
  private: ['good morning', 'Ana Ruiz', '15550100099'],
});
