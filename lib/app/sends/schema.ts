import * as v from 'valibot';

/** Others fill in `null` for what they do not mean to say. */
const given = <Schema extends v.GenericSchema>(schema: Schema) => v.optional(v.nullable(schema));
const Text = v.string();
/** What cannot be an id is not looked for: keys of the table have a bound. */
const isId = (text: string): boolean => /^[\x21-\x7e]{1,200}$/.test(text);
const TextOrNumber = v.union([v.string(), v.pipe(v.number(), v.safeInteger())]);

/**
 * The body of a send request, in the words of the format that it follows. Loose about keys that we do not read: callers
 * bring fields of their own. The account's key stands with blanks on the vendor's own page.
 */
export const SendBody = v.looseObject({
  action: v.literal('send'),
  text: Text,
  file_url: given(Text),
  file_name: given(Text),
  chat_id: given(TextOrNumber),
  jid: given(Text),
  phone: given(TextOrNumber),
  chat_name: given(Text),
  whatsapp_account_phone: given(TextOrNumber),
  'whatsapp account phone': given(TextOrNumber),
  account_id: given(v.pipe(Text, v.check(isId, 'is no id of an account'))),
});
export type SendBody = v.InferOutput<typeof SendBody>;
