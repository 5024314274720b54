import { answer, type Behaviour, FakeHttp, page, type Seen } from './fake-http.ts';
import { type Form, formOf } from './form.ts';

/** A message that the server took. */
export interface TakenByGreenApi {
  readonly instance: string;
  readonly method: string;
  readonly chatId: string;
  readonly idMessage: string;
  readonly text?: string;
  readonly form?: Form;
  readonly seen: Seen;
}

const SEND_MESSAGE = [
  'chatId',
  'message',
  'quotedMessageId',
  'linkPreview',
  'typePreview',
  'customPreview',
  'typingTime',
];
const SEND_FILE = ['chatId', 'file', 'fileName', 'caption', 'quotedMessageId'];
const CHAT_ID = /^(?:[1-9]\d{6,14}@c\.us|[1-9]\d{4,19}(?:-\d+)?@g\.us|\d+@lid)$/;

/**
 * A GREEN-API server that is as strict as the documentation: paths, verbs, fields, sizes. It takes every valid message
 * of every instance unless told otherwise.
 */
export class FakeGreenApi {
  readonly http: FakeHttp;
  readonly taken: TakenByGreenApi[] = [];
  state: string | null = 'authorized';
  queue: unknown[] = [];
  journal: unknown[] = [];
  /** What it does instead with the next requests, one each. */
  readonly next: Behaviour[] = [];
  /** For all requests to come, of whichever method; undefined: what is right. */
  behave: (seen: Seen, instance: string, method: string) => Behaviour | undefined = () => undefined;
  /** How long it thinks about a message that it takes, milliseconds. */
  answersAfterMs: () => number = () => 0;
  readonly #token: string;
  /** Tells the two hosts of an instance apart where one server stands for both. */
  readonly #mediaPrefix: string;

  constructor(token: string, mediaPrefix = '/media') {
    this.#token = token;
    this.#mediaPrefix = mediaPrefix;
    this.http = new FakeHttp((seen) => this.#handle(seen));
  }

  credentials(idInstance = '7999000111') {
    const { url } = this.http;
    return { apiUrl: url, mediaUrl: `${url}${this.#mediaPrefix}`, idInstance, apiTokenInstance: this.#token };
  }

  #handle(seen: Seen): Behaviour {
    const route = /^(\/\w+)?\/waInstance(\d{1,12})\/(\w+)\/([\w-]+)$/.exec(seen.path);
    if (!route) return page(404);
    const [, prefix = '', instance = '', method = '', token] = route;
    if (token !== this.#token) return this.#error(seen, 401, 'Unauthorized');
    const told = this.next.shift() ?? this.behave(seen, instance, method);
    if (told) return told;
    switch (`${seen.method} ${prefix}/${method}`) {
      case 'POST /sendMessage':
        return this.#sendMessage(seen, instance);
      case `POST ${this.#mediaPrefix}/sendFileByUpload`:
        return this.#sendFile(seen, instance);
      case 'GET /getStateInstance':
        return this.state === null ? answer(200, 'null') : answer(200, { stateInstance: this.state });
      case 'GET /showMessagesQueue':
        return answer(200, this.queue);
      case 'POST /getChatHistory':
        return answer(200, this.journal);
      default:
        return this.#error(seen, 404, `Cannot ${seen.method} ${seen.path}`);
    }
  }

  #sendMessage(seen: Seen, instance: string): Behaviour {
    if (!/^application\/json(?:; charset=utf-8)?$/i.test(seen.headers['content-type'] ?? '')) {
      return this.#invalid(seen, "'body' must be JSON");
    }
    const body: unknown = JSON.parse(seen.raw.toString('utf8'));
    const fields: Record<string, unknown> = { ...(typeof body === 'object' ? body : {}) };
    const unknown = Object.keys(fields).find((name) => !SEND_MESSAGE.includes(name));
    if (unknown) return this.#invalid(seen, `'${unknown}' is not allowed`);
    const { chatId, message } = fields;
    if (typeof chatId !== 'string' || !CHAT_ID.test(chatId)) return this.#invalid(seen, "'chatId' has a wrong format");
    if (typeof message !== 'string' || message === '') return this.#invalid(seen, "'message' is required");
    if (message.length > 20_000) {
      return this.#invalid(seen, "'message' length must be less than or equal to 20000 characters long");
    }
    return this.#take(seen, { instance, method: 'sendMessage', chatId, text: message });
  }

  #sendFile(seen: Seen, instance: string): Behaviour {
    const form = formOf(seen);
    if (!form) return this.#invalid(seen, "'body' must be multipart/form-data");
    const unknown = form.names.find((name) => !SEND_FILE.includes(name));
    if (unknown) return this.#invalid(seen, `'${unknown}' is not allowed`);
    const chatId = form.fields.chatId ?? '';
    if (!CHAT_ID.test(chatId)) return this.#invalid(seen, "'chatId' has a wrong format");
    if (form.files.length !== 1 || form.files[0]?.field !== 'file') return this.#invalid(seen, "'file' is required");
    if (form.fields.caption === '') return this.#invalid(seen, "'caption' is not allowed to be empty");
    return this.#take(seen, { instance, method: 'sendFileByUpload', chatId, form });
  }

  #take(seen: Seen, message: Omit<TakenByGreenApi, 'idMessage' | 'seen'>): Behaviour {
    const idMessage = `BAE5${String(this.taken.length + 1).padStart(12, '0')}`;
    this.taken.push({ ...message, idMessage, seen });
    const urlFile = { urlFile: 'https://files.example/1' };
    const body = { idMessage, ...(message.form && urlFile) };
    return { kind: 'answer', status: 200, body, afterMs: this.answersAfterMs() };
  }

  #invalid(seen: Seen, details: string): Behaviour {
    return this.#error(seen, 400, `Bad Request Validation failed. Details: ${details}`);
  }

  /** Theirs, with the path and so with the token in it. */
  #error({ path }: Seen, statusCode: number, message: string): Behaviour {
    return answer(statusCode, { statusCode, timestamp: '2026-11-18T09:30:00.000Z', path, message });
  }
}
