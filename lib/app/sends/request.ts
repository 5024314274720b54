import * as v from 'valibot';
import { safeFileName } from '#lib/domain/file-name.ts';
import { readFileUrl } from '#lib/domain/file-url.ts';
import { sha256 } from '#lib/domain/ids.ts';
import { type Issue, issuesOf } from '#lib/domain/issue.ts';
import { canonicalJson, isRecord, parseJson } from '#lib/domain/json.ts';
import type { Phone } from '#lib/domain/phone.ts';
import { readPhone } from '#lib/domain/sending/address.ts';
import type { NewPart } from '../sending/accept.ts';
import { SendBody } from './schema.ts';
import { readTarget, type Target } from './target.ts';

/** A request that is right in itself. What it speaks of may still not exist. */
export interface CheckedRequest {
  readonly target: Target;
  /** The account that is to send, if the caller cares. */
  readonly from: { readonly accountId?: string; readonly phone?: Phone };
  readonly parts: readonly [NewPart] | readonly [NewPart, NewPart];
  /** Of what the body says, whatever its layout. */
  readonly hash: string;
}

export type ReadRequest =
  | { readonly ok: true; readonly request: CheckedRequest }
  | { readonly ok: false; readonly issues: readonly Issue[] };

export interface RequestRules {
  /** Any port, for a hub on a machine of one's own. */
  readonly allowPrivateHosts: boolean;
}

/** Reads the body of a send request. Every fault is told with its field, and never with a piece of the body. */
export function readRequest(body: Uint8Array, rules: RequestRules): ReadRequest {
  const parsed = parseJson(body);
  if (!parsed.ok) return { ok: false, issues: [parsed.issue] };
  if (!isRecord(parsed.value)) return { ok: false, issues: [{ path: '', message: 'the body must be an object' }] };
  const shape = v.safeParse(SendBody, parsed.value);
  if (!shape.success) return { ok: false, issues: issuesOf(shape.issues) };
  const issues: Issue[] = [];
  const target = readTarget(shape.output, issues);
  const from = readFrom(shape.output, target, issues);
  const parts = readParts(shape.output, rules, issues);
  if (!target || !from || !parts) return { ok: false, issues };
  return { ok: true, request: { target, from, parts, hash: sha256(canonicalJson(parsed.value)) } };
}

/** A chat belongs to one account, so beside `chat_id` the account's phone means nothing. */
function readFrom(body: SendBody, target: Target | undefined, issues: Issue[]): CheckedRequest['from'] | undefined {
  const accountId = body.account_id ?? undefined;
  const spelled = (['whatsapp_account_phone', 'whatsapp account phone'] as const).filter((key) => body[key] != null);
  const [key, other] = spelled;
  if (target?.kind === 'chat' || key === undefined) return accountId === undefined ? {} : { accountId };
  const phone = readPhone(String(body[key]));
  if (phone === undefined) return refuse(issues, key, 'is not a possible phone number');
  if (other !== undefined && readPhone(String(body[other])) !== phone) {
    return refuse(issues, other, `does not say the same as ${key}`);
  }
  if (accountId !== undefined) return refuse(issues, 'account_id', `stands beside ${key}: give one of them`);
  return { phone };
}

/** The file first: a caption is shown on some kinds of files only, so text beside a file is a message of its own. */
function readParts(body: SendBody, rules: RequestRules, issues: Issue[]): CheckedRequest['parts'] | undefined {
  const text: NewPart = { kind: 'text', text: body.text };
  if (!body.text.isWellFormed()) return refuse(issues, 'text', 'is not well-formed Unicode');
  if (body.file_url == null) {
    return body.text === '' ? refuse(issues, 'text', 'is empty, and there is no file_url') : [text];
  }
  const file = readFile(body.file_url, body.file_name, rules, issues);
  if (!file) return undefined;
  return body.text === '' ? [file] : [file, text];
}

const LONGEST_URL = 8_192;

function readFile(url: string, name: string | null | undefined, rules: RequestRules, issues: Issue[]) {
  const read = readFileUrl(url, rules.allowPrivateHosts);
  if (read.kind === 'refused') return refuse(issues, 'file_url', read.reason);
  if (read.url.href.length > LONGEST_URL) return refuse(issues, 'file_url', `is longer than ${LONGEST_URL} characters`);
  if (name == null || name.trim() === '') return refuse(issues, 'file_name', 'is missing');
  return { kind: 'file', url: read.url.href, name: safeFileName(name) } as const;
}

function refuse(issues: Issue[], path: string, message: string): undefined {
  issues.push({ path, message });
}
