import { readFileSync } from 'node:fs';
import { greenApi } from '#functions/green-api/provider.ts';
import { describeReading } from '#test/support/describe-reading.ts';

const fixture = (name: string) => readFileSync(new URL(`fixtures/${name}.json`, import.meta.url), 'utf8');

const message = {
  id: 'F7AEC1B7086ECDC7E6E45923F5EDB825',
  chat: { id: '79001234567@c.us', kind: 'individual' },
  direction: 'inbound',
  via: 'unknown',
  channel: 'whatsapp',
  sender: { id: '79001234567@c.us', phone: '+79001234567', name: 'John', contactName: 'John Doe' },
  account: { instance: '1234', phone: '+11001234567' },
  forwarded: { score: 4 },
};

describeReading(greenApi, [
  {
    name: 'keeps the link, title, description and thumbnail of a previewed text',
    payload: fixture('link'),
    exactly: {
      kind: 'message',
      message: {
        ...message,
        chat: { ...message.chat, title: 'John' },
        content: {
          type: 'text',
          text: 'https://green-api.com/docs/video',
          preview: {
            url: 'https://green-api.com/docs/video',
            title: 'How to develop WhatsApp Bot',
            description: 'GREEN-API docs show how you can develop the WhatsApp Bot',
            thumbnail: '/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAYEBQYFBAYGBQYHBwYIChAKCgkJChQODwwQFxQYG==',
          },
        },
      },
    },
    occurredAt: 1588091580_000,
  },
  {
    name: 'keeps a quoted contact with its card, and both names of the quoted message',
    payload: fixture('quoted-contact'),
    exactly: {
      kind: 'message',
      message: {
        ...message,
        content: {
          type: 'text',
          text: 'https://yandex.ru/former&utm_source=home&utm_content=main_informer&utm_term=main_number',
        },
        quoted: {
          id: '9A73322488DCB7D9689A6112F2528C9D',
          sender: { id: '79061230000@c.us', phone: '+79061230000' },
          content: {
            type: 'contacts',
            contacts: [
              {
                name: 'Green-Api',
                phones: ['+79001230000'],
                vcard:
                  'BEGIN:VCARD\nVERSION:3.0\nN:Green-Api\nitem1.TEL;waid=79001230000\nitem1.X-ABLabel:Mobile\nEND:VCARD',
              },
            ],
          },
          stated: {
            id: '0EA554E587820E35309858AE265BE7EA',
            sender: { id: '79001230000@c.us', phone: '+79001230000' },
          },
        },
      },
    },
    occurredAt: 1588091580_000,
  },
  {
    name: 'keeps a quoted image of which nothing but its type is told',
    payload: fixture('quoted-image'),
    exactly: {
      kind: 'message',
      message: {
        ...message,
        content: {
          type: 'text',
          text: 'https://yandex.ru/pogoda/?utm_medium=source=home&utm_content=main_informer&utm_term=main_number',
        },
        quoted: {
          id: '9A73322488DCB7D9689A6112F2528C9D',
          sender: { id: '79061230000@c.us', phone: '+79061230000' },
          content: { type: 'image', file: {} },
          stated: {
            id: 'B4AA239D112CB2576897B3910FEDE26E',
            sender: { id: '79001230000@c.us', phone: '+79001230000' },
          },
        },
      },
    },
    occurredAt: 1588091580_000,
  },
]);

const ana = {
  chat: { id: '15550100099@c.us', kind: 'individual', title: 'Ana Ruiz' },
  direction: 'inbound',
  via: 'unknown',
  channel: 'whatsapp',
  sender: { id: '15550100099@c.us', phone: '+15550100099', name: 'Ana' },
  account: { instance: '7999000111', phone: '+15550100001' },
};

describeReading(greenApi, [
  {
    name: 'keeps what was tapped of interactive buttons',
    payload: fixture('interactive-button-tap'),
    exactly: {
      kind: 'message',
      message: {
        ...ana,
        id: '3EB0F1E1D0000002',
        content: {
          type: 'reply',
          source: 'button',
          of: 'BAE5MENU0000001',
          id: 'yes',
          text: 'Yes, please',
          index: 1,
        },
      },
    },
  },
  {
    name: 'tells a video note from a video',
    payload: fixture('video-note'),
    stored: {
      message: {
        content: { type: 'video', videoNote: true, file: { url: 'https://files.example/7999/n.mp4' } },
      },
    },
  },
  {
    name: 'tells that we have read what somebody wrote',
    payload: fixture('incoming-status'),
    exactly: {
      kind: 'status',
      status: {
        messageId: '3EB0X',
        chatId: '15550100099@c.us',
        direction: 'inbound',
        state: 'read',
        account: { instance: '7999000111', phone: '+15550100001' },
      },
    },
  },
]);
