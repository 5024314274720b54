import * as v from 'valibot';
import { MessageData } from './message-schema.ts';
import {
  flag,
  InstanceId,
  ifReadable,
  instant,
  list,
  neededLabel,
  neededNumber,
  neededText,
  number,
  text,
} from './values.ts';

const envelope = {
  instanceData: v.looseObject({
    idInstance: InstanceId,
    wid: text,
    // Sister products for other messengers post the same envelope.
    typeInstance: v.nullish(v.literal('whatsapp')),
  }),
  timestamp: instant,
};
export type Envelope = v.InferOutput<v.LooseObjectSchema<typeof envelope, undefined>>;

export const MessageEvent = v.looseObject({
  ...envelope,
  idMessage: neededText,
  senderData: v.looseObject({
    chatId: neededText,
    sender: text,
    chatName: text,
    senderName: text,
    senderContactName: text,
  }),
  messageData: MessageData,
});
export type MessageEvent = v.InferOutput<typeof MessageEvent>;

export const StatusEvent = v.looseObject({
  ...envelope,
  chatId: text,
  idMessage: neededText,
  status: neededText,
  sendByApi: flag,
  description: text,
});
export type StatusEvent = v.InferOutput<typeof StatusEvent>;

export const CallEvent = v.looseObject({
  ...envelope,
  from: neededText,
  status: text,
  idMessage: text,
  isVideo: flag,
  duration: number,
  participants: list(v.looseObject({ id: text, wid: text, status: text })),
});
export type CallEvent = v.InferOutput<typeof CallEvent>;

export const StateEvent = v.looseObject({ ...envelope, stateInstance: neededText });
export type StateEvent = v.InferOutput<typeof StateEvent>;
export const SocketEvent = v.looseObject({ ...envelope, statusInstance: neededText });
export type SocketEvent = v.InferOutput<typeof SocketEvent>;

export const QuotaEvent = v.looseObject({
  ...envelope,
  quotaData: v.looseObject({
    method: neededText,
    used: neededNumber,
    total: neededNumber,
    status: neededText,
    description: text,
  }),
});
export type QuotaEvent = v.InferOutput<typeof QuotaEvent>;

const Device = v.looseObject({
  platform: text,
  deviceManufacturer: text,
  deviceModel: text,
  osVersion: text,
  waVersion: text,
  battery: number,
});
const AvatarInfo = v.looseObject({ chatId: neededText, urlAvatar: text, existsWhatsapp: flag, reason: text });
export type AvatarInfo = v.InferOutput<typeof AvatarInfo>;
/** One name for two events: of the phone, and of a contact's picture. */
export const DeviceEvent = v.looseObject({
  ...envelope,
  deviceData: ifReadable(Device),
  avatarInfo: v.nullish(AvatarInfo),
});
export type DeviceEvent = v.InferOutput<typeof DeviceEvent>;

export const BlockEvent = v.looseObject({
  ...envelope,
  chatId: neededLabel,
  chatState: v.optional(v.literal('blocked'), 'blocked'),
});
export type BlockEvent = v.InferOutput<typeof BlockEvent>;
