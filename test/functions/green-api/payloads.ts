/** True-shaped payloads with invented data. The tests vary them one field at a time. */
export const instanceData = { idInstance: 7999000111, wid: '12025550100@c.us', typeInstance: 'whatsapp' };
export const senderData = {
  chatId: '12025550142@c.us',
  sender: '12025550142@c.us',
  chatName: 'Noor Example',
  senderName: 'Noor',
  senderContactName: '',
};
export const account = { instance: '7999000111', phone: '+12025550100' };
export const textData = { typeMessage: 'textMessage', textMessageData: { textMessage: 'Is the blue one on offer?' } };

/** A message from Noor, of which the content and any other field can be said. */
export function incoming(messageData: unknown = textData, rest: object = {}) {
  return {
    typeWebhook: 'incomingMessageReceived',
    instanceData,
    timestamp: 1795000001,
    idMessage: '3EB0C0FFEE00112233AA',
    senderData,
    messageData,
    ...rest,
  };
}

/** A message that answers one of ours, of which the quoted object can be said. */
export function answering(quotedMessage: object) {
  return incoming({
    typeMessage: 'quotedMessage',
    extendedTextMessageData: { text: 'That one, please' },
    quotedMessage: { stanzaId: 'BAE5000000C0FFEE', participant: '12025550100@c.us', ...quotedMessage },
  });
}

/** Any event but a message. */
export function report<Rest extends object>(typeWebhook: string, rest: Rest) {
  return { typeWebhook, instanceData, timestamp: 1795000033, ...rest };
}

export const status = report('outgoingMessageStatus', {
  chatId: '12025550142@c.us',
  idMessage: 'BAE5000000C0FFEE',
  status: 'delivered',
  sendByApi: true,
});

export const call = report('incomingCall', {
  from: '12025550142@c.us',
  status: 'offer',
  idMessage: '0A1B2C3D4E5F60718293A4B5C6D7E8F9',
});

export const quota = report('quotaExceeded', {
  quotaData: {
    method: 'correspondents',
    used: 3,
    total: 3,
    status: 'CORRESPONDENTS_QUOTA_EXCEEDED',
    description: 'Monthly chat limit reached, allowed chats are 12025550142@c.us',
  },
});
