import { addressOf } from '../address.ts';
import type { Event } from '../api.ts';
import { addressName, reasonOf, texts } from '../texts.ts';
import { lineOf } from './content.tsx';

/** What happened, in a line. */
export function EventLine({ event }: { readonly event: Event }) {
  return (
    <span class="event-line">
      <span class="kind">{event.kind === 'unknown' ? (event.type ?? 'unknown') : event.kind}</span>{' '}
      <bdi>{saidBy(event)}</bdi>
    </span>
  );
}

/** The state, whose message it is of, and why. */
const toldOf = (state: string, reason = '', to = '') =>
  [state + (to && ` · ${addressName(to)}`), reasonOf(reason)].filter(Boolean).join(', ');

function saidBy(event: Event): string {
  switch (event.kind) {
    case 'message': {
      const { sender, content, direction, chat } = event.message;
      const who =
        direction === 'outbound'
          ? texts.events.to(chat.title ?? chat.phone ?? addressName(chat.id))
          : (sender.contactName ?? sender.name ?? sender.phone ?? '');
      return `${who}: ${lineOf(content)}`;
    }
    case 'status':
      return toldOf(event.status.state, event.status.detail, event.recipient?.phone ?? event.recipient?.id);
    case 'reaction':
      return event.reaction.removed ? texts.events.takenBack : (event.reaction.emoji ?? '');
    case 'call':
      return `${event.call.direction}, ${event.call.state}`;
    case 'connection':
      return event.connection.state;
    case 'ussd':
      return `${event.ussd.code}: ${event.ussd.response}`;
    case 'notification':
      return [event.notification.title, event.notification.content].filter(Boolean).join(': ');
    case 'chat':
      return [event.chat.title, event.chat.change].filter(Boolean).join(', ');
    case 'send':
      return toldOf(event.send.state, event.send.reason, event.send.recipient?.address);
    case 'account':
      return toldOf(event.account.state, event.account.reason);
    case 'endpoint':
      return `${event.endpoint.state}, ${event.endpoint.reason}`;
    case 'rule':
      return `${event.rule.state}, ${event.rule.reason}`;
    case 'unknown':
      return event.issues.map(({ path, message }) => `${path}: ${message}`).join('; ');
    default:
      return event.provider;
  }
}

/** Stands for the type of what names none; no list can be asked for by it. */
const UNREADABLE = 'unreadable';

/** The list of what waits of a type. */
export const waitingOf = (provider: string, type: string): string =>
  addressOf('events', undefined, { quarantined: 'true', provider, ...(type !== UNREADABLE && { type }) });
