import {
  card,
  coobyWords,
  type Delivery,
  deletion,
  edit,
  file,
  type Group,
  greenApiWords,
  type Person,
  place,
  poll,
  quoting,
  type Run,
  reaction,
  sandboxWords,
  text,
  timelinesAiWords,
  vote,
  withLink,
  withoutChat,
  zenderWords,
} from './payloads.ts';

/** A bicycle workshop by a harbour, and who writes to it. Nobody has these numbers: they are kept for films and books. */
export const SHOP: Person = { name: 'Harbour Bikes', phone: '12025550100' };
export const RENTALS: Person = { name: 'Harbour Rentals', phone: '12025550101' };
const LEE: Person = { name: 'Lee', phone: '12025550103' };

export const ANA: Person = { name: 'Ana Ruiz', phone: '12025550142' };
export const JONAS: Person = { name: 'Jonas Weber', phone: '447700900118' };
const PRIYA: Person = { name: 'Priya Nair', phone: '447700900131' };
const OMAR: Person = { name: 'Omar Haddad', phone: '12025550171' };
export const MIA: Person = { name: 'Mia Torres', phone: '12025550156' };
export const SAM: Person = { name: 'Sam Okafor', phone: '447700900164' };
const LENA: Person = { name: 'Lena Fischer', phone: '447700900187' };
const TIM: Person = { name: 'Tim', phone: '12025550138' };
const KAI: Person = { name: 'Kai', phone: '12025550139' };
const NORDIC: Person = { name: 'Nordic Parts', phone: '447700900102' };
const TOM: Person = { name: 'Tom Hale', phone: '12025550125' };
const VOSS: Person = { name: 'Voss Insurance', phone: '447700900145' };

const RIDE: Group = { title: 'Saturday ride', jid: '120363000000000042@g.us' };
const TEAM: Group = { title: 'Harbour team', jid: '120363000000000077@g.us' };

/** Zender sends it with each delivery, and so does GREEN-API, in a header. */
export const SECRET = 'demo-secret';
export const INSTANCE = 7_999_000_111;

const ESTIMATE = 'New chain and cassette, 64 together. Shall we go ahead?';
const TWO_DAYS = 'Could we keep the two bikes until Sunday?';
const OUT_OF_OFFICE = 'Thank you for your message. Our opening hours are nine to five; we will get back to you.';
const PARTS = 510_234;

/** What came in from the early morning on until a few minutes ago, in its order. */
export function morning(run: Run): readonly Delivery[] {
  return [...frontDesk(run), ...rentals(run), ...others(run)].sort((a, b) => b.minutesAgo - a.minutesAgo);
}

function frontDesk(run: Run): readonly Delivery[] {
  const { message, status } = sandboxWords(run, SHOP);
  const photo = { url: 'https://files.example/blue-bike.jpg', name: 'blue-bike.jpg', mimeType: 'image/jpeg' };
  return [
    message('ana1', 194, ANA, ANA, { text: 'Good morning! The chain of the blue bike slips. Can you have a look?' }),
    message('ana2', 193, ANA, ANA, { text: 'It looks like this', file: photo }),
    message('ana3', 188, ANA, SHOP, { text: 'Good morning Ana, bring it over, we open at nine.' }),
    status('ana3', 187, ANA, 'delivered'),
    status('ana3', 186, ANA, 'read'),
    message('ana4', 131, ANA, SHOP, { text: ESTIMATE }),
    status('ana4', 130, ANA, 'read'),
    message('ana5', 128, ANA, ANA, { text: 'Yes please' }),
    message('ride1', 172, RIDE, OMAR, { text: 'Who is in for Saturday? Ten o’clock at the harbour.' }),
    message('ride2', 169, RIDE, PRIYA, { text: 'Me, if it does not rain' }),
    message('ride3', 166, RIDE, JONAS, { text: 'What is the price of a rental for the day?' }),
    message('ride4', 96, RIDE, SHOP, { text: 'There are six bikes left for Saturday.' }),
    message('jonas1', 118, JONAS, JONAS, { text: 'Do you repair electric bikes as well?' }),
    message('jonas2', 112, JONAS, SHOP, { text: 'We do, all but the battery itself.' }),
    status('jonas2', 111, JONAS, 'read'),
    message('omar1', 61, OMAR, OMAR, { text: 'Are you open on Sunday?' }),
    message('omar2', 24, OMAR, SHOP, { text: 'Sorry, not this one.' }),
    status('omar2', 23, OMAR, 'delivered'),
  ];
}

function rentals(run: Run): readonly Delivery[] {
  const { idOf, message, status, call, report } = greenApiWords(run, RENTALS, INSTANCE);
  const link = 'All about it: https://bikes.example/rentals';
  return [
    message('01', 181, MIA, MIA, text(TWO_DAYS)),
    message('02', 176, MIA, RENTALS, quoting('Of course, until six.', idOf('01'), MIA, TWO_DAYS)),
    status('02', 175, MIA, 'read'),
    // Providers do not keep to the order: this one is late, and nothing goes back for it.
    status('02', 174, MIA, 'delivered'),
    message('03', 173, MIA, MIA, reaction('❤️', idOf('02'), RENTALS)),
    message('04', 149, MIA, MIA, file('image', 'lighthouse.jpg', 'image/jpeg', 'We made it to the lighthouse')),
    message('05', 148, MIA, MIA, place('Old lighthouse', 'North pier', 52.4631, 4.5552)),
    message('06', 104, MIA, MIA, text('Back at seven')),
    message('07', 103, MIA, MIA, edit('Back at six, promised', idOf('06'))),
    message('08', 82, MIA, MIA, text('Wrong chat, sorry')),
    message('09', 81, MIA, MIA, deletion(idOf('08'))),
    message('10', 52, MIA, MIA, file('audio', 'voice-note.oga', 'audio/ogg; codecs=opus')),
    message('20', 162, TEAM, TIM, text('Delivery of the new helmets is today')),
    message('21', 159, TEAM, KAI, poll('Who opens on Saturday?', ['Tim', 'Kai', 'Lee'])),
    message('22', 151, TEAM, TIM, vote(idOf('21'), 'Who opens on Saturday?', { Tim: [TIM], Kai: [], Lee: [KAI] })),
    message('23', 89, TEAM, KAI, file('document', 'opening-list.pdf', 'application/pdf')),
    call('30', 141, SAM, 'offer'),
    call('30', 140, SAM, 'missed'),
    message('31', 137, SAM, SAM, text('I tried to call. What do you have for a family of four?')),
    message('32', 122, SAM, RENTALS, withLink(link, 'Rentals by the harbour', 'Bikes, trailers and child seats')),
    // The same once more: it is kept once.
    message('32', 122, SAM, RENTALS, withLink(link, 'Rentals by the harbour', 'Bikes, trailers and child seats')),
    status('32', 121, SAM, 'read'),
    message('33', 119, SAM, SAM, text('Two trailers then, from Friday on')),
    message('40', 75, LENA, LENA, card(TOM)),
    message('41', 74, LENA, LENA, text('He wants to rent as well')),
    report(69, 'an event of a kind that nobody knows yet', 'chatThemeChanged', { chatId: `${MIA.phone}@c.us` }),
    report(41, 'another one of that kind', 'chatThemeChanged', { chatId: `${SAM.phone}@c.us` }),
  ];
}

function others(run: Run): readonly Delivery[] {
  const timelines = timelinesAiWords(run, LEE);
  const cooby = coobyWords(run, LEE);
  const zender = zenderWords(run, SECRET);
  const invoice = {
    ...{ filename: 'invoice-2291.pdf', size: 84_211, mimetype: 'application/pdf' },
    temporary_download_url: 'https://files.example/invoice-2291.pdf',
  };
  const rack = { url: 'https://files.example/rack.jpg', name: 'rack.jpg', mimeType: 'image/jpeg' };
  return [
    timelines.message('1', 185, PARTS, NORDIC, LEE, { text: 'The cassettes are on their way, invoice follows.' }),
    timelines.message('2', 183, PARTS, NORDIC, LEE, { attachments: [invoice] }, 'the invoice'),
    timelines.assigned(180, PARTS, NORDIC),
    timelines.message('3', 167, PARTS, LEE, NORDIC, { text: 'Thank you, paid.' }),
    timelines.reacted('3', 165, PARTS, NORDIC, '👍'),
    withoutChat(run, 88),
    cooby('1', 156, TOM, TOM, { text: 'Would this rack fit?', file: rack }),
    cooby('2', 147, TOM, LEE, { text: 'It would, we have it here.' }),
    zender('sms', 1, 143, `${SAM.name}, an SMS: Running ten minutes late`, {
      ...{ rid: 10_021, sim: 1, phone: `+${SAM.phone}`, message: 'Running ten minutes late' },
    }),
    zender('sms', 2, 92, 'PARCEL, an SMS: Your parcel with 2 items comes today', {
      ...{ rid: 10_022, sim: 1, phone: 'PARCEL', message: 'Your parcel with 2 items comes today, 11:00 to 13:00.' },
    }),
    zender('ussd', 3, 85, 'the answer to *101#', {
      ...{ sim: 1, code: '*101#', response: 'Your balance is 12.40, valid until 31 March.' },
    }),
    zender('notification', 4, 66, 'a notification of the phone', {
      ...{ package: 'com.example.bank', title: 'Transfer', content: 'You received 128.00' },
    }),
    zender('notification', 5, 33, 'another notification', {
      ...{ package: 'com.example.calendar', title: 'In 30 minutes', content: 'School class, 14 bikes' },
    }),
  ];
}

/** What comes in right now, so that rules may answer it. */
export function rightNow(run: Run): readonly Delivery[] {
  const { message } = sandboxWords(run, SHOP);
  const green = greenApiWords(run, RENTALS, INSTANCE);
  return [
    green.report(1, 'the instance was logged out', 'stateInstanceChanged', { stateInstance: 'notAuthorized' }),
    message('priya1', 0, PRIYA, PRIYA, { text: 'When are you open tomorrow?' }),
    message('tom1', 0, TOM, TOM, { text: 'What is the price of a service?' }),
    // A person has answered there within the hour.
    message('omar3', 0, OMAR, OMAR, { text: 'And until when are you open today?' }),
    // A machine, which says the same again and again: no rule answers it any more.
    ...['voss1', 'voss2', 'voss3'].map((id) => message(id, 0, VOSS, VOSS, { text: OUT_OF_OFFICE })),
    message('ana6', 0, ANA, ANA, { text: 'Is the blue one ready?' }),
    // The account is held: what the rule answers waits.
    green.message('42', 0, LENA, LENA, text('What is the price for a week?')),
  ];
}
