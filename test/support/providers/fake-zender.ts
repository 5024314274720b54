import { answer, type Behaviour, FakeHttp, page, type Seen } from './fake-http.ts';
import { type Form, formOf } from './form.ts';

export interface TakenByZender {
  readonly path: string;
  readonly fields: Readonly<Record<string, string>>;
  readonly files: Form['files'];
  readonly messageId: number;
}

const WHATSAPP = [
  'secret',
  'account',
  'recipient',
  'message',
  'type',
  'priority',
  'media_file',
  'document_file',
  'document_name',
];
const SMS = ['secret', 'mode', 'phone', 'message', 'device', 'sim', 'priority', 'gateway'];
const MEDIA = /\.(?:jpg|png|gif|mp4|mp3|ogg)$/;
const DOCUMENT = /\.(?:pdf|xml|xls|xlsx|doc|docx)$/;
const RECIPIENT = /^(?:\+[1-9]\d{6,14}|\d[\d-]{4,30}@g\.us)$/;

const says = (status: number, message: string, data: unknown = false): Behaviour =>
  answer(200, { status, message, data });

/** A copy of Zender as documented: everything under HTTP 200, the truth in the body. Spintax is expanded as theirs is. */
export class FakeZender {
  readonly http: FakeHttp;
  readonly taken: TakenByZender[] = [];
  readonly next: Behaviour[] = [];
  /** Rows by list: `wa.sent`, `wa.pending`, `wa.accounts`, `devices` … */
  readonly lists: Record<string, unknown[]> = {};
  readonly #secret: string;

  constructor(secret: string) {
    this.#secret = secret;
    this.http = new FakeHttp((seen) => this.#handle(seen));
  }

  whatsapp(account = 'wa-unique-1') {
    return { baseUrl: this.http.url, secret: this.#secret, account };
  }

  sms() {
    return { baseUrl: this.http.url, secret: this.#secret, mode: 'devices', device: '0000-d57d', sim: 2 };
  }

  #handle(seen: Seen): Behaviour {
    const path = /^\/api\/(.+)$/.exec(seen.path)?.[1];
    if (path === undefined) return page(404);
    const told = this.next.shift();
    if (told) return told;
    if (seen.method === 'GET') return this.#list(seen, path);
    const form = formOf(seen);
    if (!form) return says(400, 'Invalid Parameters!');
    if (form.fields.secret !== this.#secret) return says(401, 'Invalid API secret supplied!');
    if (path === 'send/whatsapp') return this.#whatsapp(path, form);
    return path === 'send/sms' ? this.#sms(path, form) : page(404);
  }

  #whatsapp(path: string, form: Form): Behaviour {
    const { account, recipient = '', message, type = 'text', document_name: name } = form.fields;
    const unknown = form.names.find((field) => !WHATSAPP.includes(field));
    if (unknown) return says(400, `not documented: ${unknown}`);
    if (account === undefined || message === undefined || !RECIPIENT.test(recipient))
      return says(400, 'Invalid Parameters!');
    const [file] = form.files;
    const field = { text: undefined, media: 'media_file', document: 'document_file' }[type];
    // An unknown type counts as a text, and what came with it is lost.
    if (file?.field !== field) return says(400, 'Invalid file!');
    // Hosted copies want words whatever the type.
    if (message === '') return says(400, 'Invalid Parameters!');
    if (type === 'media' && !MEDIA.test(file?.name ?? '')) return says(400, 'Invalid media file!');
    if (type === 'document' && !DOCUMENT.test(file?.name ?? '')) return says(400, 'Invalid document file!');
    if (type === 'document' && name !== undefined && !DOCUMENT.test(name)) return says(400, 'Invalid document name!');
    return this.#take(path, form);
  }

  #sms(path: string, form: Form): Behaviour {
    const { mode, phone = '', message, device, gateway } = form.fields;
    const unknown = form.names.find((field) => !SMS.includes(field));
    if (unknown) return says(400, `not documented: ${unknown}`);
    if (!/^\+[1-9]\d{6,14}$/.test(phone) || !message || form.files.length > 0) return says(400, 'Invalid Parameters!');
    if (mode === 'devices' ? device === undefined : mode !== 'credits' || gateway === undefined)
      return says(400, 'Invalid mode!');
    return this.#take(path, form);
  }

  #take(path: string, { fields, files }: Form): Behaviour {
    const messageId = this.taken.length + 1;
    this.taken.push({ path, fields: { ...fields, message: spun(fields.message ?? '') }, files, messageId });
    return says(200, 'Message has been queued!', { messageId });
  }

  #list({ query }: Seen, path: string): Behaviour {
    if (query.secret !== this.#secret) return says(401, 'Invalid API secret supplied!');
    const rows = this.lists[path.replace(/^get\//, '')];
    return rows && rows.length > 0 ? says(200, 'Found!', rows) : says(404, 'Nothing found!');
  }
}

/** `{one|two}` becomes one, `{one}` loses its braces, to any depth. */
function spun(text: string): string {
  const once = text.replace(/\{([^{}]*)\}/g, (_, choices: string) => choices.split('|')[0] ?? '');
  return once === text ? text : spun(once);
}
