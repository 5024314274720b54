import type { Content, Button as OurButton } from '#lib/domain/content.ts';
import { anyKnown, known } from '#lib/domain/known.ts';
import { toPhone } from '#lib/domain/phone.ts';
import type { Button, Contents } from './message-schema.ts';

/** Plain and interactive buttons. `interactiveButtonsReply` is a message with buttons, too, not a tap on one. */
export function buttonsIn(data: Contents): Content | undefined {
  const found =
    data.buttonsMessage ?? data.interactiveButtons ?? data.interactiveButtonsReply ?? data.interactiveButtonReply;
  const text = found?.contentText ?? found?.body;
  if (!found || text === undefined) return undefined;
  return known({
    type: 'buttons' as const,
    title: found.titleText ?? found.header,
    text,
    footer: found.footerText ?? found.footer,
    buttons: buttonsOf(found.buttons),
  });
}

export function templateIn({ templateMessage: found }: Contents): Content | undefined {
  if (found?.contentText === undefined) return undefined;
  return known({
    type: 'template' as const,
    namespace: found.namespace,
    name: found.elementName,
    title: found.titleText,
    text: found.contentText,
    footer: found.footer ?? found.footerText,
    mediaUrl: found.mediaUrl,
    buttons: buttonsOf(found.buttons),
  });
}

export function listIn({ listMessage: found }: Contents): Content | undefined {
  if (found?.contentText === undefined) return undefined;
  const { title, contentText: text, footer, buttonText, sections = [] } = found;
  return known({
    type: 'list' as const,
    title,
    text,
    footer,
    buttonText,
    sections: sections.map((section) =>
      known({
        title: section.title,
        rows: (section.rows ?? []).map((row) =>
          known({ id: row.rowId, title: row.title, description: row.description }),
        ),
      }),
    ),
  });
}

/** What somebody chose: a button, a row of a list, or a button of a template (which is what all taps give today). */
export function replyIn(data: Contents): Content | undefined {
  const chosen = buttonTap(data) ?? rowTap(data) ?? templateTap(data);
  return chosen && (chosen.id !== undefined || chosen.text !== undefined) ? { type: 'reply', ...chosen } : undefined;
}

function buttonTap({ buttonsResponseMessage: tap }: Contents) {
  if (!tap) return undefined;
  const { stanzaId: of, selectedButtonId: id, selectedButtonText: text } = tap;
  return known({ source: 'button' as const, of, id, text });
}

function rowTap({ listResponseMessage: tap }: Contents) {
  if (!tap) return undefined;
  const { stanzaId: of, singleSelectReply: id, title: text, listType } = tap;
  return known({ source: 'list' as const, of, id, text, listType });
}

function templateTap(data: Contents) {
  const tap = data.templateButtonReplyMessage ?? data.templateButtonsReplyMessage;
  if (!tap) return undefined;
  const { stanzaId: of, selectedId: id, selectedDisplayText: text, selectedIndex: index } = tap;
  return known({ source: 'template' as const, of, id, text, index });
}

function buttonsOf(written: readonly Button[] = []): OurButton[] {
  return written.map(buttonOf).filter((button) => button !== undefined);
}

function buttonOf(button: Button): OurButton | undefined {
  const inner = button.urlButton ?? button.callButton ?? button.quickReplyButton;
  const phone = button.phoneNumber ?? inner?.phoneNumber;
  const facts = anyKnown({
    id: button.buttonId ?? inner?.id,
    index: button.index,
    text: button.buttonText ?? inner?.displayText,
    url: button.url ?? inner?.url,
    phone: toPhone(phone) ?? phone,
    code: button.copyCode,
  });
  return facts && { kind: kindOf(button), ...facts };
}

const KINDS: ReadonlyMap<string | undefined, OurButton['kind']> = new Map([
  ['copy', 'copy'],
  ['call', 'call'],
  ['url', 'url'],
  ['reply', 'reply'],
]);

function kindOf(button: Button): OurButton['kind'] {
  if (button.urlButton) return 'url';
  if (button.callButton) return 'call';
  return KINDS.get(button.type) ?? 'reply';
}
