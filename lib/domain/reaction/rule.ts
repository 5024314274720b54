import * as v from 'valibot';
import { strictObject, Whole } from '../schema.ts';
import { Condition } from './condition.ts';
import { isNoticePattern } from './notice.ts';

/*
 * What somebody may write as a rule or as an endpoint. Every limit is refused with the path of the field: what is saved
 * here runs later, when nobody looks.
 */

const MOST_ACTIONS = 5;
const LONGEST_TEMPLATE = 4000;
const MOST_RECIPIENTS = 5;

const Name = v.pipe(v.string(), v.trim(), v.minLength(1), v.maxLength(100));
const Template = v.pipe(v.string(), v.minLength(1), v.maxLength(LONGEST_TEMPLATE));
const ShortTemplate = v.pipe(v.string(), v.minLength(1), v.maxLength(500));
const AccountId = v.pipe(v.string(), v.regex(/^acc_[0-9a-f]{32}$/, 'must be the id of an account, as acc_…'));

/** An address stands in a header: one that could end it, or begin a second address, is none. */
const EmailAddress = v.pipe(v.string(), v.maxLength(254), v.rfcEmail('must be an e-mail address, as ana@example.com'));

/** Whether the address that the operator gave can be sent from. */
export const isEmailAddress = (text: string): boolean => v.is(EmailAddress, text);

export const NoticePatterns = v.pipe(
  v.array(
    v.pipe(v.string(), v.check(isNoticePattern, 'is no type of notice, and stands for none: see GET /api/event-types')),
  ),
  v.minLength(1),
  v.maxLength(50),
);

const timeZones = (name: string): boolean => {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }) !== undefined;
  } catch {
    return false;
  }
};
const TimeZone = v.pipe(
  v.string(),
  v.maxLength(60),
  v.check(timeZones, 'must be a time zone of the IANA list, as Europe/Berlin'),
);

const message = {
  text: v.exactOptional(Template),
  fileUrl: v.exactOptional(ShortTemplate),
  fileName: v.exactOptional(ShortTemplate),
};
const hasMessage = ({ text, fileUrl }: { readonly text?: string; readonly fileUrl?: string }) =>
  text !== undefined || fileUrl !== undefined;
const NOTHING_TO_SAY = 'must have a text, a fileUrl or both';

const Reply = v.pipe(
  strictObject({
    action: v.literal('reply'),
    ...message,
    quote: v.exactOptional(
      v.pipe(v.boolean(), v.description('Quotes the message that it answers, where the account can')),
    ),
  }),
  v.check((one) => hasMessage(one), NOTHING_TO_SAY),
);

const Recipient = v.pipe(
  strictObject({
    phone: v.exactOptional(ShortTemplate),
    jid: v.exactOptional(ShortTemplate),
    chat_id: v.exactOptional(ShortTemplate),
    chat_name: v.exactOptional(ShortTemplate),
  }),
  v.check((to) => Object.keys(to).length === 1, 'must have one of phone, jid, chat_id and chat_name'),
);
const Send = v.pipe(
  strictObject({
    action: v.literal('send'),
    to: Recipient,
    accountId: v.exactOptional(AccountId),
    ...message,
  }),
  v.check((one) => hasMessage(one), NOTHING_TO_SAY),
);

const Forward = strictObject({
  action: v.literal('forward'),
  endpoint: v.pipe(v.string(), v.regex(/^ep_[0-9a-f]{32}$/, 'must be the id of an endpoint, as ep_…')),
});

const Header = v.pipe(v.string(), v.maxLength(1000), v.regex(/^[\t\x20-\x7e]*$/, 'must be printable ASCII'));
/** The hub sets them itself, or they speak of the connection. */
const FORBIDDEN_HEADERS =
  /^(?:host|connection|transfer-encoding|user-agent|expect|keep-alive|te|trailer|upgrade|(?:content|proxy|webhook|hookline)-.*)$/i;
export const Headers = v.pipe(
  v.record(
    v.pipe(
      v.string(),
      v.regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}$/, 'is no name of a header'),
      v.check((name) => !FORBIDDEN_HEADERS.test(name), 'is a header that the hub sets itself'),
    ),
    Header,
  ),
  v.check((headers) => Object.keys(headers).length <= 10, 'must have at most 10 headers'),
);

const Call = v.pipe(
  strictObject({
    action: v.literal('call'),
    url: v.pipe(v.string(), v.url(), v.maxLength(2000)),
    method: v.exactOptional(v.picklist(['POST', 'PUT', 'PATCH', 'DELETE']), 'POST'),
    headers: v.exactOptional(
      v.pipe(Headers, v.description('Kept as secrets: shown without values. One without a value keeps the one it had')),
    ),
    json: v.exactOptional(v.unknown()),
    text: v.exactOptional(Template),
  }),
  v.check(({ json, text }) => json === undefined || text === undefined, 'must have json or text, not both'),
);

const Email = strictObject({
  action: v.literal('email'),
  to: v.pipe(v.array(EmailAddress), v.minLength(1), v.maxLength(MOST_RECIPIENTS)),
  subject: ShortTemplate,
  text: Template,
  attach: v.exactOptional(
    v.pipe(v.picklist(['event', 'raw']), v.description('The event as the API shows it, or the body as it came')),
  ),
});

export const Action = v.variant(
  'action',
  [Reply, Send, Forward, Call, Email],
  'must be reply, send, forward, call or email',
);
export type Action = v.InferOutput<typeof Action>;

/** Against a rule that talks to itself, to a machine, or over a person. */
export const Guard = strictObject({
  perContact: v.optional(
    strictObject({
      max: v.pipe(Whole, v.minValue(1), v.maxValue(100)),
      seconds: v.pipe(Whole, v.minValue(1), v.maxValue(30 * 86_400)),
    }),
    { max: 1, seconds: 600 },
  ),
  quietAfterHumanSeconds: v.optional(v.pipe(Whole, v.minValue(0), v.maxValue(7 * 86_400)), 3600),
  groups: v.optional(v.boolean(), false),
  maxAgeSeconds: v.optional(v.pipe(Whole, v.minValue(10), v.maxValue(86_400)), 900),
});
export type Guard = v.InferOutput<typeof Guard>;

/** What may be said of a rule, when it is made and later. */
export const ruleFields = {
  name: Name,
  enabled: v.boolean(),
  on: NoticePatterns,
  accounts: v.pipe(v.array(AccountId), v.minLength(1), v.maxLength(50)),
  when: Condition,
  timeZone: TimeZone,
  order: v.pipe(Whole, v.minValue(0), v.maxValue(1_000_000)),
  stop: v.pipe(v.boolean(), v.description('Rules after this one are not asked where it matched')),
  do: v.pipe(v.array(Action), v.minLength(1), v.maxLength(MOST_ACTIONS)),
  guard: Guard,
};

/** A rule as somebody writes it. */
export const NewRule = strictObject({
  name: ruleFields.name,
  enabled: v.optional(ruleFields.enabled, true),
  on: ruleFields.on,
  accounts: v.exactOptional(ruleFields.accounts),
  when: v.exactOptional(ruleFields.when),
  timeZone: v.optional(ruleFields.timeZone, 'UTC'),
  order: v.optional(ruleFields.order, 100),
  stop: v.optional(ruleFields.stop, false),
  do: ruleFields.do,
  guard: v.optional(ruleFields.guard, {}),
});
export type NewRule = v.InferOutput<typeof NewRule>;
