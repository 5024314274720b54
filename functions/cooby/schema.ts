import * as v from 'valibot';

/** Cooby writes `null` or `""` where it has nothing to say: both are absent. Numbers occur where digits are meant. */
const Text = v.optional(
  v.pipe(
    v.nullable(v.union([v.string(), v.number()])),
    v.transform((raw) => (raw === null || raw === '' ? undefined : String(raw))),
  ),
);
const Member = v.looseObject({ phone: Text, wa_name: Text });

const Content = v.looseObject({
  id: Text,
  type: v.pipe(v.string(), v.nonEmpty()),
  text: Text,
  file_name: Text,
  file_url: Text,
  caption: Text,
  is_error: v.nullish(v.boolean()),
  error_code: Text,
  error_message: Text,
  /** The page's heading spells it so, its sample without the s. */
  error_messages: Text,
});
export type Content = v.InferOutput<typeof Content>;

/** One message as one team member sees it. Older deliveries lack the chat's and the message's ids. */
export const Delivery = v.looseObject({
  chat_id: Text,
  chat_type: Text,
  chat_title: Text,
  user_phone: Text,
  user_email: Text,
  direction: v.picklist(['sent', 'received']),
  sender: v.nullish(Member),
  participants: v.nullish(v.array(Member)),
  message: Content,
  timestamp: Text,
});
export type Delivery = v.InferOutput<typeof Delivery>;
