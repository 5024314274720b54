import * as v from 'valibot';
import type { Phone } from '#lib/domain/person.ts';
import type { Clock } from '#lib/domain/ports.ts';
import type { Answered, Breakdown, SendOutcome } from '#lib/domain/send/outcome.ts';
import type { Recipient, RecipientKind } from '#lib/domain/send/recipient.ts';
import { retryAfter } from '#lib/domain/time.ts';
import type { Channel, LineProvider } from '#lib/tenants/account.ts';
import type { Account, Send } from './items.ts';

/** A task to an account's queue. `at`: when it is due, so that a tick that comes a little early waits in place. */
export interface Tick {
  readonly account: string;
  readonly gen: number;
  readonly at: number;
  /** How many ticks before this one came to nothing. */
  readonly exchanges?: number;
  /** What a provider answered, where the table did not take it. */
  readonly answer?: KeptAnswer;
}

/** That a provider took a message: ids alone, since it lies in a queue. */
export interface KeptAnswer {
  readonly send: string;
  readonly part: number;
  /** Names the attempt. */
  readonly intentAt: number;
  readonly providerId: string;
}

export interface Ticks {
  /** Whole seconds, 0 to 900. */
  send(tick: Tick, delaySeconds: number): Promise<void>;
}

/** The bytes that were checked are the bytes that are sent. */
export interface Attachment {
  readonly name: string;
  readonly mimeType: string;
  readonly bytes: Uint8Array;
}

/** Deadlines are in milliseconds of `Clock.monotonic`, so that no clock that is set can stretch them. */
export interface Attachments {
  fetch(url: string, name: string, deadline: number): Promise<Fetched>;
}
export type Fetched =
  | ({ readonly kind: 'ok' } & Attachment)
  | { readonly kind: 'refused'; readonly reason: string }
  | { readonly kind: 'unavailable'; readonly reason: string };

export interface Outgoing {
  readonly messageId: string;
  readonly part: number;
  /** 1 for the first attempt of this part. */
  readonly attempt: number;
  readonly recipient: Send['recipient'];
  /** The message that it quotes, by the provider's id: of a recipient for whom `canQuote` says so. */
  readonly quoted?: string;
  readonly content:
    | { readonly kind: 'text'; readonly text: string }
    | ({ readonly kind: 'file'; readonly caption?: string } & Attachment);
}

export interface Sender {
  /**
   * One call of the provider: no retries, no redirects, over by the deadline. Never throws for what the provider or
   * the network did; a throw is a fault of ours, and leaves the part to be found as unknown.
   */
  send(message: Outgoing, account: Account, deadline: number): Promise<SendOutcome>;
}

export interface Prober {
  /** Asks the provider whether the account can send again. */
  probe(account: Account): Promise<ProbeResult>;
}
export type ProbeResult = ToldOfAccount &
  (
    | { readonly kind: 'ok' }
    /** The reason says what to do as well: a person reads it. */
    | { readonly kind: 'held'; readonly reason: string }
    /** `answers`: the provider does answer, and only does not say how the account is. */
    | { readonly kind: 'unknown'; readonly answers?: boolean }
  );

interface ToldOfAccount {
  /** How the account is, in the provider's own word. */
  readonly state?: string;
  readonly phone?: Phone;
}

/** A word of a provider's that may be shown: no sentence, which could repeat what it was asked. */
export const stateWord = (word: string | undefined): string | undefined =>
  word !== undefined && /^[A-Za-z][A-Za-z_ -]{0,19}$/.test(word) ? word : undefined;

/** What a provider's folder supplies for sending. Credentials were checked when the account was made. */
export interface OutboundProvider extends LineProvider {
  /** The longest text of one message, in UTF-16 units. */
  readonly longestText: (channel: Channel) => number;
  readonly recipients: (channel: Channel) => readonly RecipientKind[];
  /**
   * The longest text that goes with a file in one call, in UTF-16 units; left out where a text beside a file is a message
   * of its own.
   */
  readonly longestCaption?: (channel: Channel) => number;
  /** False where the channel carries text alone. */
  readonly takesFiles: (channel: Channel) => boolean;
  /**
   * Whether a message to this recipient on WhatsApp can quote an earlier one of the chat, by the provider's id of that one;
   * left out where none can.
   */
  readonly canQuote?: (quoted: string, recipient: Recipient) => boolean;
  /** Whether there is a way to this one; left out where there is to every one of these kinds. */
  readonly canReach?: (recipient: Recipient, channel: Channel) => boolean;
  /** The provider's own id of the chat with a number; left out where the provider alone can tell it. */
  readonly chatOf?: (phone: Phone) => string;
  /** True where messages reach nobody: such an account sends only where there is no other, or where it is named. */
  readonly isPretended?: boolean;
  /** The account, ready to send; undefined where the stored credentials are not what the provider needs. */
  readonly open: (account: OutboundAccount, credentials: unknown, tools: OutboundTools) => OpenAccount | undefined;
}

export type OutboundAccount = Pick<Account, 'id' | 'provider' | 'channel' | 'phone'>;

/** Deadlines are in milliseconds of `Clock.monotonic`. Nothing here throws for what a provider or the network did. */
export interface OpenAccount {
  send(message: Outgoing, deadline: number): Promise<SendOutcome>;
  probe(deadline: number): Promise<ProbeResult>;
  /** The number that it sends from, where the probe does not tell it; it is asked for on a test alone. */
  phone?(deadline: number): Promise<Phone | undefined>;
  /** Messages at the provider that may be this attempt; whose they are is not asked here. */
  find(attempted: Attempted, deadline: number): Promise<readonly Candidate[]>;
}

/** An attempt whose answer never came. */
export interface Attempted {
  readonly messageId: string;
  readonly part: number;
  readonly recipient: Send['recipient'];
  readonly content:
    | { readonly kind: 'text'; readonly text: string }
    | { readonly kind: 'file'; readonly name: string; readonly caption?: string };
  /** The id that the provider gave with an answer that was no success; then no other message is this one. */
  readonly providerId?: string;
  /** When it began, in milliseconds since the epoch. */
  readonly since: number;
}

export interface Candidate {
  readonly providerId: string;
  /** Why it failed, if the provider says that it has. */
  readonly failed?: string;
  /** A file of whose name the provider says nothing: it may be any file's of the same chat. */
  readonly isNameless?: boolean;
}

export interface OutboundTools {
  readonly http: ProviderHttp;
  readonly selfPost: SelfPost;
  readonly clock: Clock;
}

export interface ProviderRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** May hold a secret: never logged, never part of a reason. */
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: RequestBody;
}
export type RequestBody =
  | { readonly kind: 'json'; readonly value: object }
  /** Byte for byte, as it was signed. */
  | { readonly kind: 'raw'; readonly contentType: string; readonly text: string }
  | {
      readonly kind: 'multipart';
      readonly fields: Readonly<Record<string, string>>;
      /** Comes after the fields. `field` is its name in the form. */
      readonly file?: Attachment & { readonly field: string };
    };

/** What became of one request: exactly what is needed to tell whether the provider may have acted on it. */
export type Reply =
  | {
      readonly kind: 'answered';
      readonly status: number;
      /** Names in lower case. */
      readonly headers: Readonly<Record<string, string | undefined>>;
      readonly text: string;
    }
  | { readonly kind: 'broken'; readonly breakdown: Breakdown };
export type Answer = Extract<Reply, { kind: 'answered' }>;

export interface ProviderHttp {
  /** One request: no retries, no redirects, over by the deadline; or before it, where `patience` says so. */
  call(request: ProviderRequest, deadline: number, patience?: Patience): Promise<Reply>;
}

/** Asked once of a request that has no whole answer after so many milliseconds: whether it may go on. */
export interface Patience {
  readonly afterMs: number;
  readonly mayGoOn: () => Promise<boolean>;
}

/** Puts a delivery that nobody sent on the way of every other one, for a provider that is ourselves. */
export interface SelfPost {
  /** `delaySeconds`: whole, 0 to 900. False where the queue did not take it. */
  post(account: OutboundAccount, body: object, delaySeconds: number): Promise<boolean>;
}

/** Joins a provider's credentials, as its own schema reads them, with what it does for an account that has them. */
export function withCredentials<Schema extends v.GenericSchema>(
  schema: Schema,
  open: (account: OutboundAccount, credentials: v.InferOutput<Schema>, tools: OutboundTools) => OpenAccount,
): OutboundProvider['open'] {
  return (account, raw, tools) => {
    const read = v.safeParse(schema, raw);
    return read.success ? open(account, read.output, tools) : undefined;
  };
}

/** The answer's body by a schema; undefined where it is no JSON, or not of this form. */
export function bodyOf<Schema extends v.GenericSchema>(
  schema: Schema,
  answer: Answer,
): v.InferOutput<Schema> | undefined {
  const text = answer.text.replace(/^\ufeff+/, '');
  // Hosts of PHP may print warnings before it.
  const at = /^\s*[{[]/.test(text) ? -1 : text.search(/(?<=[\n>])[{[]/);
  const form = v.pipe(v.string(), v.parseJson(), schema);
  const read = [text, ...(at < 0 ? [] : [text.slice(at)])].map((json) => v.safeParse(form, json));
  return read.find(({ success }) => success)?.output;
}

/** Asks the provider; undefined where there came no answer with 200, or none of this form. */
export async function ask<Schema extends v.GenericSchema>(
  { http }: { readonly http: ProviderHttp },
  request: ProviderRequest,
  schema: Schema,
  deadline: number,
): Promise<v.InferOutput<Schema> | undefined> {
  const reply = await http.call(request, deadline);
  return reply.kind === 'answered' && reply.status === 200 ? bodyOf(schema, reply) : undefined;
}

/** Clocks differ, and providers round their seconds down. */
const SKEW_MS = 5_000;

/** Whether what was sent `at` that time may be this attempt. */
export const isSince = (at: number | undefined, { since }: Attempted): boolean =>
  at !== undefined && at >= since - SKEW_MS;

/** What an answer to this message may repeat of it. */
export function textOf({ content }: Pick<Outgoing, 'content'>): string | undefined {
  return content.kind === 'text' ? content.text : content.caption;
}

/** No account waits longer for what a provider says. */
const LONGEST_WAIT_MS = 900_000;

/** The answer in the terms of a provider's table. */
export function answered(answer: Answer, words: string | undefined, now: number): Answered {
  const retryAfterMs = retryAfter(answer.headers['retry-after'], now);
  return {
    status: answer.status,
    ...(words === undefined ? {} : { words }),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs: Math.min(LONGEST_WAIT_MS, retryAfterMs) }),
  };
}
