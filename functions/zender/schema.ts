import * as v from 'valibot';
import { ifValid } from '#lib/domain/schema.ts';
import { isNone } from '#lib/inbox/received-file.ts';

/**
 * Forms know texts only, relays make numbers of what looks like one, and PHP says `false` or `null` for nothing: all
 * spellings come out alike.
 */
const Text = v.pipe(
  v.nullish(v.union([v.string(), v.number(), v.boolean()])),
  v.transform((raw) => (typeof raw === 'string' || typeof raw === 'number' ? String(raw) : undefined)),
);
/** The same where an empty text says nothing, and no message is lost for what is no text. */
const Filled = ifValid(
  v.pipe(
    Text,
    v.transform((text) => (text?.trim() ? text : undefined)),
  ),
);
const Required = v.pipe(v.union([v.string(), v.number()]), v.transform(String), v.trim(), v.nonEmpty());

/** An id of the kind `0`, or a name that came as `false`: PHP has nothing to say. */
const orNone = (text: string | undefined) => (isNone(text) ? undefined : text);
const Optional = v.optional(v.pipe(Filled, v.transform(orNone)));

const received = { id: Optional, timestamp: Filled };
const device = { device: Optional, sim: Optional };
const body = <const Entries extends v.ObjectEntries>(data: Entries) => v.looseObject({ data: v.looseObject(data) });

export const Sms = body({ ...received, ...device, rid: Optional, phone: Required, message: Text });
export const Whatsapp = body({
  ...received,
  wid: Optional,
  phone: Required,
  message: Text,
});
export const Ussd = body({ ...received, sim: Optional, device: Required, code: Required, response: Text });
export const Notification = body({ ...received, device: Required, package: Required, title: Filled, content: Filled });

/** The first versions: no type, and the fields beside the secret. `name` is the contact's, or false. */
export const Flat = v.looseObject({ phone: Required, name: Optional, message: Text, receive_date: Filled });
