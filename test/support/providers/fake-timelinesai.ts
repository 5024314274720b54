import { answer, type Behaviour, FakeHttp, page, type Seen } from './fake-http.ts';
import { type Form, formOf } from './form.ts';

export interface TakenByTimelinesAi {
  readonly path: string;
  readonly body: Readonly<Record<string, unknown>>;
  readonly uid: string;
  /** What was uploaded under the `file_uid` that the message names. */
  readonly file?: Form['files'][number];
}

const CALLS: readonly {
  readonly path: RegExp;
  readonly required: readonly string[];
  readonly fields: readonly string[];
}[] = [
  { path: /^messages$/, required: ['phone'], fields: ['whatsapp_account_phone', 'label', 'chat_name'] },
  { path: /^messages\/to_jid$/, required: ['jid'], fields: ['whatsapp_account_phone', 'label', 'reply_to'] },
  { path: /^messages\/to_chat_name$/, required: ['chat_name'], fields: ['whatsapp_account_phone', 'label'] },
  { path: /^chats\/\d+\/messages$/, required: [], fields: ['label', 'chat_name', 'reply_to'] },
];
const COMMON = ['text', 'file_uid', 'attachment_template_id'];

/** TimelinesAI's Public API as documented: bearer token, no slash at the end, files first, errors in its own shape. */
export class FakeTimelinesAi {
  readonly http: FakeHttp;
  readonly taken: TakenByTimelinesAi[] = [];
  readonly uploads = new Map<string, Form['files'][number]>();
  readonly next: Behaviour[] = [];
  accounts: unknown[] = [{ id: '15550100001@s.whatsapp.net', phone: '+15550100001', status: 'active' }];
  history: unknown[] = [];
  readonly #token: string;

  constructor(token: string) {
    this.#token = token;
    this.http = new FakeHttp((seen) => this.#handle(seen));
  }

  credentials() {
    return { apiToken: this.#token, baseUrl: `${this.http.url}/integrations/api` };
  }

  #handle(seen: Seen): Behaviour {
    const path = /^\/integrations\/api\/(.*[^/])$/.exec(seen.path)?.[1];
    if (path === undefined) return page(404);
    if (/^(?:node|undici|axios|$)/i.test(seen.headers['user-agent'] ?? '')) return page(403);
    const told = this.next.shift();
    if (told) return told;
    if (seen.headers.authorization !== `Bearer ${this.#token}`) return fault(401, 'Invalid token');
    if (seen.method === 'POST') return path === 'files_upload' ? this.#upload(seen) : this.#send(seen, path);
    if (path === 'whatsapp_accounts') return answer(200, { status: 'ok', data: { whatsapp_accounts: this.accounts } });
    if (/^chats\/\d+\/messages$/.test(path)) return answer(200, { status: 'ok', data: { messages: this.history } });
    return fault(404, 'Not found');
  }

  #upload(seen: Seen): Behaviour {
    const form = formOf(seen);
    const [file] = form?.files ?? [];
    const unknown = form?.names.find((name) => !['file', 'filename', 'content_type'].includes(name));
    if (form?.files.length !== 1 || file?.field !== 'file' || unknown) return fault(400, 'file is required');
    const uid = `0b9d7a52-0000-4000-8000-${String(this.uploads.size + 1).padStart(12, '0')}`;
    this.uploads.set(uid, file);
    const { filename = file.name, content_type: mimetype = file.type } = form.fields;
    return answer(200, { status: 'ok', data: { uid, filename, size: file.bytes.length, mimetype } });
  }

  #send(seen: Seen, path: string): Behaviour {
    const call = CALLS.find((known) => known.path.test(path));
    if (!call) return page(404);
    const parsed: unknown = JSON.parse(seen.raw.toString('utf8'));
    const body: Record<string, unknown> = { ...(typeof parsed === 'object' ? parsed : {}) };
    const unknown = Object.keys(body).find((name) => ![...call.required, ...call.fields, ...COMMON].includes(name));
    if (unknown) return fault(400, `unknown field ${unknown}`);
    const missing = call.required.find((name) => typeof body[name] !== 'string' || body[name] === '');
    if (missing) return fault(400, `${missing} is required`);
    if (typeof body.text === 'string' && body.text.length > 2_000) return fault(400, 'text is too long');
    const file = this.uploads.get(String(body.file_uid));
    if (body.file_uid === undefined ? !body.text : !file) return fault(400, 'text or file_uid is required');
    const uid = `3f1c2b7e-1111-4222-8333-${String(this.taken.length + 1).padStart(12, '0')}`;
    this.taken.push({ path, body, uid, ...(file && { file }) });
    return answer(200, { status: 'ok', data: { message_uid: uid } });
  }
}

export const fault = (status: number, message: string): Behaviour =>
  answer(status, { status: 'error', message, error_code: 'made_up', errors: [] });
