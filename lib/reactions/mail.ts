import type { Event } from '#lib/domain/event.ts';
import type { Told } from '#lib/domain/reaction/condition.ts';
import type { CallResult } from '#lib/domain/reaction/delivery.ts';
import type { Action } from '#lib/domain/reaction/rule.ts';
import { rawOfEvent } from '#lib/inbox/events.ts';
import type { Store } from '#lib/store/store.ts';
import type { Rule } from './rule.ts';
import { render, scopeOf } from './templates.ts';

export type EmailAction = Extract<Action, { action: 'email' }>;

interface Attachment {
  readonly name: string;
  readonly contentType: string;
  readonly content: Uint8Array;
}

/** A mail as it goes out. */
export interface Mail {
  readonly from: string;
  readonly to: readonly string[];
  readonly subject: string;
  readonly text: string;
  /** The same each time that it is sent again. */
  readonly id: string;
  readonly attachment?: Attachment;
}

export interface Mailer {
  /** Never throws for what the mail service or the network did. */
  send(mail: Mail): Promise<{ readonly result: CallResult; readonly answer: string }>;
}

/** What a rule's action comes to for an event, or why it cannot be rendered. */
export async function mailOf(
  store: Store,
  rule: Pick<Rule, 'name' | 'timeZone'>,
  { to, subject, text, attach }: EmailAction,
  index: number,
  told: Told,
  { from, now }: { readonly from: string; readonly now: number },
): Promise<Mail | { readonly why: string }> {
  const { event } = told;
  const scope = scopeOf(told, now, rule.timeZone);
  const [line, body] = [render(subject, scope), render(text, scope)];
  if (line.kind === 'failed') return { why: `subject: ${line.reason}` };
  if (body.kind === 'failed') return { why: `text: ${body.reason}` };
  const mail = { from, to, subject: subjectOf(line.text, rule.name), id: `${event.id}_${index}` };
  const attachment = attach && (await attachmentOf(store, attach, event, now));
  if (attachment && attachment.content.length > LARGEST_ATTACHMENT) {
    const note = `The attachment is left out: it has ${attachment.content.length} bytes, and a mail takes ${LARGEST_ATTACHMENT}.`;
    return { ...mail, text: `${body.text.toWellFormed()}\n\n${note}\n` };
  }
  return { ...mail, text: body.text.toWellFormed(), ...(attachment && { attachment }) };
}

async function attachmentOf(
  store: Store,
  which: 'event' | 'raw',
  event: Event,
  now: number,
): Promise<Attachment | undefined> {
  if (which === 'event') {
    const content = Buffer.from(JSON.stringify(event, null, 2));
    return { name: `${event.id}.json`, contentType: 'application/json', content };
  }
  const raw = await rawOfEvent(store, event.workspace, event.id, Math.floor(now / 1000));
  return raw && { ...kindOf(raw.contentType, event.id), content: raw.bytes };
}

/** What came in calls itself as it likes: of that, a mail says only what opens as text. */
function kindOf(contentType: string, id: string): Omit<Attachment, 'content'> {
  const [type = ''] = contentType.toLowerCase().split(';');
  if (/[/+]json$/.test(type.trim())) return { name: `${id}.json`, contentType: 'application/json' };
  if (/^text\/|x-www-form-urlencoded$/.test(type.trim())) return { name: `${id}.txt`, contentType: 'text/plain' };
  return { name: `${id}.raw`, contentType: 'application/octet-stream' };
}

const LONGEST_SUBJECT = 500;

/** Somebody else's words as the line of a header: whatever could end the line becomes a blank. Empty, it is `otherwise`. */
const subjectOf = (rendered: string, otherwise: string): string => lineOf(rendered) || lineOf(otherwise);

function lineOf(text: string): string {
  const line = text.toWellFormed().replace(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, ' ');
  return [...line.trim()].slice(0, LONGEST_SUBJECT).join('');
}

/** What SES takes is 10 MB when attachments are in base64; the text and its headers need some of it. */
const LARGEST_ATTACHMENT = 7_000_000;
