import * as v from 'valibot';
import { isRecord } from '#lib/domain/json.ts';
import { ifValid } from '#lib/domain/schema.ts';
import { spelledOut } from '#lib/inbox/relayed.ts';

/**
 * Cooby writes `null` or `""` where it has nothing to say: both are absent. Numbers occur where digits are meant. A message
 * is not broken for a detail: what is of another type than expected counts as not said.
 */
const Text = ifValid(v.pipe(v.union([v.string(), v.number()]), v.transform(String), v.nonEmpty()));

const spelled = v.transform(spelledOut);
const Flag = v.pipe(
  v.unknown(),
  v.transform((raw) => raw === true || raw === 1 || (typeof raw === 'string' && /^\s*(?:true|1|yes)\s*$/i.test(raw))),
);

/** A number alone is a member of whom the name is not told. */
const Person = v.pipe(
  v.unknown(),
  spelled,
  v.transform((raw) => (isRecord(raw) ? raw : { phone: raw })),
  v.looseObject({ phone: Text, wa_name: Text }),
);
const People = v.pipe(
  v.unknown(),
  spelled,
  v.transform((raw) => [raw ?? []].flat()),
  v.array(Person),
);

const Content = v.looseObject({
  id: Text,
  type: v.pipe(v.string(), v.trim(), v.nonEmpty()),
  text: Text,
  file_name: Text,
  file_url: Text,
  caption: Text,
  is_error: v.optional(Flag),
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
  sender: v.optional(Person),
  participants: v.optional(People),
  message: v.pipe(v.unknown(), spelled, Content),
  timestamp: Text,
});
export type Delivery = v.InferOutput<typeof Delivery>;
