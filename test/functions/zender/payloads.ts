import { readFileSync } from 'node:fs';

export const form = 'application/x-www-form-urlencoded';
export const json = 'application/json';

/** A sample of the provider's page, in both spellings. */
export function sample(name: 'sms' | 'whatsapp' | 'ussd' | 'notification') {
  const text = (extension: string) => readFileSync(new URL(`fixtures/${name}.${extension}`, import.meta.url), 'utf8');
  return { form: text('form'), json: text('json') };
}

/** A body in multipart, as some relays post forms. */
export function multipart(fields: object, boundary = '----b0undary', end = '\r\n'): string {
  const parts = [...new URLSearchParams(toForm(fields))].map(([name, value]) => {
    return [`--${boundary}`, `Content-Disposition: form-data; name="${name}"`, '', value].join(end);
  });
  return [...parts, `--${boundary}--`, ''].join(end);
}

export const secret = '9f1c0d3e5a7b2c4d6e8f00112233445566778899';

export const device = '00000000-0000-0000-aaaa-bbbbccccdddd';

export const sms = {
  secret,
  type: 'sms',
  data: { id: 41, rid: 10021, sim: 1, device, phone: '+15550100099', message: 'Hello', timestamp: 1767225600 },
};
export const whatsapp = {
  secret,
  type: 'whatsapp',
  data: {
    id: 77,
    wid: '+15550100001',
    phone: '+15550100099',
    message: 'Hi there',
    attachment: false,
    timestamp: 1767225601,
  },
};
export const group = {
  secret,
  type: 'whatsapp',
  data: {
    id: 78,
    wid: '+15550100001',
    phone: '120363000000000042@g.us',
    message: 'see this',
    attachment: 'https://gw.example/uploads/whatsapp/received/abc/78.jpg',
    timestamp: 1767225602,
  },
};
export const ussd = {
  secret,
  type: 'ussd',
  data: { id: 5, sim: 2, device, code: '*101#', response: 'Balance 3.20', timestamp: 1767225603 },
};
export const notifications = {
  secret,
  type: 'notifications',
  data: {
    id: 9,
    device,
    package: 'com.example.bank',
    title: 'Transfer',
    content: 'You received 5',
    timestamp: 1767225604,
  },
};
export const flat = { secret, name: 'Ana Ruiz', phone: '+15550100099', message: 'Hello', receive_date: 1767225605 };

/** `body` as PHP's `http_build_query` writes it: `false` is 0, and `null` is left out. */
export function toForm(body: object): string {
  const fields = Object.entries(body).flatMap(([key, value]: [string, unknown]) =>
    typeof value === 'object' && value !== null
      ? Object.entries(value).map(([name, child]: [string, unknown]) => [`${key}[${name}]`, child] as const)
      : [[key, value] as const],
  );
  const form = new URLSearchParams();
  for (const [key, value] of fields) {
    if (value !== null && value !== undefined) form.append(key, String(value === false ? 0 : value));
  }
  return form.toString();
}

/** `body` with other fields in its data. */
export function withData<Body extends { data: object }>(body: Body, fields: object) {
  return { ...body, data: { ...body.data, ...fields } };
}

/** `body` with the keys of its data beside its type. */
export function flattened(body: typeof whatsapp) {
  const { data, ...rest } = body;
  return { ...rest, ...Object.fromEntries(Object.entries(data).map(([key, value]) => [`data[${key}]`, value])) };
}
