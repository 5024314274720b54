import * as v from 'valibot';
import type { Content, Button as OurButton } from '#lib/domain/content.ts';
import { toPhone } from '#lib/domain/person.ts';
import { anyKnown, ifValid, known } from '#lib/domain/schema.ts';
import { firstOf, list, number, type Part, text, under, words } from './values.ts';

const Link = v.looseObject({ displayText: words, url: text, phoneNumber: words, id: words });
/** The three ways in which buttons are written, in one: plain, interactive and of a template. */
const Button = v.looseObject({
  buttonId: words,
  buttonText: words,
  type: text,
  copyCode: text,
  phoneNumber: words,
  url: text,
  index: number,
  urlButton: ifValid(Link),
  callButton: ifValid(Link),
  quickReplyButton: ifValid(Link),
});
/** Anything with buttons. The title, the text and the line below have two names each. */
const WithButtons = {
  titleText: words,
  header: words,
  contentText: words,
  body: words,
  footer: words,
  footerText: words,
  buttons: list(Button),
};
const Row = v.looseObject({ title: words, rowId: words, description: words });

/** Messages with buttons or a list, and what somebody chose of them. */
export const interactiveIn = firstOf<Content>([
  // `interactiveButtonsReply` is a message with buttons, too, unless it tells a choice.
  under(
    ['buttonsMessage', 'interactiveButtons', 'interactiveButtonsReply', 'interactiveButtonReply'],
    WithButtons,
    ({ titleText, header, contentText, body, footerText, footer, buttons }) => {
      const said = contentText ?? body;
      const around = known({ title: titleText ?? header, footer: footerText ?? footer });
      return said === undefined ? undefined : { type: 'buttons', ...around, text: said, buttons: buttonsOf(buttons) };
    },
  ),
  under(
    ['listMessage'],
    {
      title: words,
      contentText: words,
      footer: words,
      buttonText: words,
      sections: list(v.looseObject({ title: words, rows: list(Row) })),
    },
    ({ title, contentText, footer, buttonText, sections = [] }) =>
      contentText === undefined
        ? undefined
        : known({
            type: 'list' as const,
            title,
            text: contentText,
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
          }),
  ),
  under(
    ['templateMessage'],
    { ...WithButtons, namespace: text, elementName: text, mediaUrl: text },
    ({ namespace, elementName: name, titleText: title, contentText, footer, footerText, mediaUrl, buttons }) =>
      contentText === undefined
        ? undefined
        : known({
            type: 'template' as const,
            namespace,
            name,
            title,
            text: contentText,
            footer: footer ?? footerText,
            mediaUrl,
            buttons: buttonsOf(buttons),
          }),
  ),
  under(
    ['listResponseMessage'],
    { stanzaId: text, title: words, listType: number, singleSelectReply: words },
    ({ stanzaId: of, title, listType, singleSelectReply: id }) =>
      id === undefined && title === undefined
        ? undefined
        : known({ type: 'reply' as const, source: 'list' as const, of, id, text: title, listType }),
  ),
  tapIn,
]);

function buttonsOf(written: readonly v.InferOutput<typeof Button>[] = []): OurButton[] {
  return written.flatMap((button) => {
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
    const named = (['copy', 'call', 'url'] as const).find((kind) => kind === button.type) ?? 'reply';
    const kind = (button.urlButton && 'url') ?? (button.callButton && 'call') ?? named;
    return facts ? [{ kind, ...facts }] : [];
  });
}

/** What was tapped, by either set of names: which taps have which is not certain. */
const Tap = v.looseObject({
  stanzaId: text,
  selectedId: words,
  selectedButtonId: words,
  selectedDisplayText: words,
  selectedButtonText: words,
  selectedIndex: number,
});

/** A tap on a button comes under several keys, or beside its type: what was chosen tells that it is one. */
function tapIn({ quotedMessage: _quoted, ...data }: Part): Content | undefined {
  for (const [key, part] of Object.entries({ [String(data.typeMessage)]: data, ...data })) {
    const read = v.safeParse(Tap, part);
    const tap = read.success ? read.output : {};
    const id = tap.selectedId ?? tap.selectedButtonId;
    const text = tap.selectedDisplayText ?? tap.selectedButtonText;
    const source = /^template/i.test(key) ? ('template' as const) : ('button' as const);
    if (id !== undefined || text !== undefined)
      return known({ type: 'reply' as const, source, of: tap.stanzaId, id, text, index: tap.selectedIndex });
  }
  return undefined;
}
