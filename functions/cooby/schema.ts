import * as v from 'valibot';
import { ifValid } from '#lib/domain/schema.ts';

/**
 * Cooby writes `null` or `""` where it has nothing to say: both are absent. Numbers occur where digits are meant. A message
 * is not broken for a detail: what is of another type than expected counts as not said.
 */
const Text = ifValid(v.pipe(v.union([v.string(), v.number()]), v.transform(String), v.nonEmpty()));

const Person = v.looseObject({ phone: Text, wa_name: Text });
const People = v.pipe(
  v.array(ifValid(Person)),
  v.transform((people) => people.filter((person) => person !== undefined)),
);

const Content = v.looseObject({
  id: Text,
  type: v.pipe(v.string(), v.trim(), v.nonEmpty()),
  text: Text,
  file_name: Text,
  file_url: Text,
  caption: Text,
  is_error: ifValid(v.boolean()),
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
  direction: v.pipe(v.string(), v.trim(), v.toLowerCase(), v.picklist(['sent', 'received'])),
  sender: ifValid(Person),
  participants: ifValid(People),
  message: Content,
  timestamp: Text,
});
export type Delivery = v.InferOutput<typeof Delivery>;
