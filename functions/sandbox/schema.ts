import * as v from 'valibot';

const Filled = v.optional(v.pipe(v.string(), v.trim(), v.nonEmpty()));
const Required = v.pipe(v.string(), v.trim(), v.nonEmpty());
const common = {
  id: Required,
  account: Filled,
  at: v.optional(v.union([v.string(), v.number()])),
};

const File = v.looseObject({ url: Filled, name: Filled, mimeType: Filled, size: v.optional(v.number()) });

export const Message = v.looseObject({
  ...common,
  channel: v.optional(v.picklist(['whatsapp', 'sms']), 'whatsapp'),
  direction: v.optional(v.picklist(['inbound', 'outbound']), 'inbound'),
  via: v.optional(v.picklist(['phone', 'api', 'unknown']), 'unknown'),
  chat: Filled,
  title: Filled,
  from: Filled,
  name: Filled,
  text: v.optional(v.string()),
  file: v.optional(File),
  edits: Filled,
  deletes: Filled,
});
export type Message = v.InferOutput<typeof Message>;

export const Status = v.looseObject({
  ...common,
  chat: Filled,
  status: v.picklist(['sent', 'delivered', 'read', 'failed']),
  detail: Filled,
  via: v.optional(v.picklist(['phone', 'api', 'unknown']), 'unknown'),
});
export type Status = v.InferOutput<typeof Status>;

export const Reaction = v.looseObject({ ...common, chat: Filled, from: Required, name: Filled, emoji: Filled });
export type Reaction = v.InferOutput<typeof Reaction>;

export const Call = v.looseObject({
  ...common,
  direction: v.optional(v.picklist(['inbound', 'outbound']), 'inbound'),
  chat: Filled,
  from: Required,
  name: Filled,
  status: v.picklist(['ringing', 'answered', 'missed', 'declined', 'ended', 'failed']),
});
export type Call = v.InferOutput<typeof Call>;
