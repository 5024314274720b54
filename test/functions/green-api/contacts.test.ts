import { greenApi } from '#functions/green-api/provider.ts';
import { describeReading } from '#test/support/describe-reading.ts';
import { incoming } from './payloads.ts';

const ada = {
  displayName: 'Ada Sample',
  vcard:
    'BEGIN:VCARD\nVERSION:3.0\nN:Sample;Ada;;;\nFN:Ada Sample\nTEL;type=CELL;waid=12025550123:+1 202-555-0123\nEND:VCARD',
};
const bo = { displayName: 'Bo Sample', vcard: 'BEGIN:VCARD\nVERSION:3.0\nFN:Bo Sample\nEND:VCARD' };
const readAda = { name: 'Ada Sample', phones: ['+12025550123'], vcard: ada.vcard };
const readBo = { name: 'Bo Sample', phones: [], vcard: bo.vcard };
const content = (contacts: object[]) => ({ message: { content: { type: 'contacts', contacts } } });

describeReading(greenApi, [
  {
    name: 'a contact with its card and phone',
    payload: incoming({
      typeMessage: 'contactMessage',
      contactMessageData: { ...ada, forwardingScore: 1, isForwarded: true },
    }),
    stored: { message: { content: { type: 'contacts', contacts: [readAda] }, forwarded: { score: 1 } } },
  },
  {
    name: 'several contacts, under a second key of the same name',
    payload: incoming({
      typeMessage: 'contactsArrayMessage',
      messageData: { contacts: [ada, bo], forwardingScore: 5, isForwarded: true },
    }),
    stored: { message: { content: { type: 'contacts', contacts: [readAda, readBo] }, forwarded: { score: 5 } } },
  },
  {
    name: 'several contacts, where the docs say that they are',
    payload: incoming({ typeMessage: 'contactsArrayMessage', contacts: [ada, bo], isForwarded: true }),
    stored: { message: { content: { type: 'contacts', contacts: [readAda, readBo] }, forwarded: {} } },
  },
  {
    name: 'contacts beside one that cannot be read',
    payload: incoming({ typeMessage: 'contactsArrayMessage', messageData: { contacts: [null, {}, 5, bo] } }),
    stored: content([readBo]),
  },
  {
    name: "a contact by its card's name where it has no other",
    payload: incoming({ typeMessage: 'contactMessage', contactMessageData: { displayName: '', vcard: ada.vcard } }),
    stored: content([readAda]),
  },
  {
    name: 'a contact without a card',
    payload: incoming({ typeMessage: 'contactMessage', contactMessageData: { displayName: 'Ada Sample' } }),
    stored: content([{ name: 'Ada Sample', phones: [] }]),
  },
  {
    name: 'a contact of which nothing is told as unsupported',
    payload: incoming({ typeMessage: 'contactMessage', contactMessageData: { displayName: '', vcard: '' } }),
    stored: { message: { content: { type: 'unsupported', providerType: 'contactMessage' } } },
  },
  {
    name: 'several cards in one text, each by the name that it gives itself',
    payload: incoming({
      typeMessage: 'contactMessage',
      contactMessageData: { displayName: '2 contacts', vcard: `${ada.vcard}\n${bo.vcard}` },
    }),
    stored: content([readAda, readBo]),
  },
]);
