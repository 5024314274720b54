import type { Delivery, Proof } from '#lib/app/receiving/provider.ts';
import { sha256 } from '#lib/domain/ids.ts';
import { isRecord } from '#lib/domain/json.ts';
import { decodeForm, looksLikeJson, parseBody } from './body.ts';
import { jsonWithoutSecret } from './json-secret.ts';
import { isSecretName } from './secret-name.ts';

/** The secret stands in the body. */
export function proofOf(_delivery: Delivery, body: unknown): Proof {
  const presented = isRecord(body) ? body.secret : undefined;
  // A relay that guesses types makes a number of a secret in digits.
  const isSecret = typeof presented === 'string' || typeof presented === 'number';
  return isSecret ? { secretHash: sha256(String(presented)) } : {};
}

/**
 * The body's bytes as they came, but for every field named `secret`, however it is spelled and whether or not the
 * webhook has one set: nothing that is kept or logged may hold it.
 */
export function withoutSecret(body: Uint8Array, contentType: string): Uint8Array {
  // Latin-1 turns each byte into one character and back, so that what is not cut stays as it was.
  const text = Buffer.from(body).toString('latin1');
  const cut = looksLikeJson(body) ? jsonWithoutSecret(text) : formWithoutSecret(text);
  const cleaned = parseBody(body, contentType).ok ? cut : roughlyWithoutSecret(cut);
  return cleaned === text ? body : Buffer.from(cleaned, 'latin1');
}

function formWithoutSecret(text: string): string {
  return text.split('&').flatMap(keptOf).join('&');
}

function keptOf(pair: string): string[] {
  const name = decodeForm(nameOf(pair));
  if (!isSecretName(name)) return [withoutSecretInData(pair)];
  return isFormKey(name) ? [] : [withoutSecretInText(pair)];
}

/** Any text can be read as a form; what no form has for a name is somebody's words, and kept. */
function isFormKey(name: string): boolean {
  return /^\s*[\w.[\];-]+\s*$/.test(name);
}

function nameOf(pair: string): string {
  const end = pair.indexOf('=');
  return end < 0 ? pair : pair.slice(0, end);
}

/** `data` may be JSON within the form. */
function withoutSecretInData(pair: string): string {
  const name = nameOf(pair);
  if (decodeForm(name) !== 'data') return pair;
  const value = decodeForm(pair.slice(name.length + 1));
  const cleaned = jsonWithoutSecret(value);
  return cleaned === value ? pair : `${name}=${encodeForm(cleaned)}`;
}

/** Words, XML, or JSON in percent signs: they stay, but for a secret among them. */
function withoutSecretInText(text: string): string {
  const cut = roughlyWithoutSecret(text);
  const decoded = decodeForm(cut);
  const cleaned = roughlyWithoutSecret(jsonWithoutSecret(decoded));
  return cleaned === decoded ? cut : encodeForm(cleaned);
}

function encodeForm(latin1: string): string {
  return latin1.replace(/[^\w.~-]/g, (byte) => `%${byte.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`);
}

/** For what nobody can parse: whatever follows the name, as JavaScript, a form, a multipart body or XML has it. */
function roughlyWithoutSecret(text: string): string {
  const after = /\s*[:=]\s*|\r?\n(?:[^\r\n]+\r?\n){0,4}\r?\n/.source;
  const value = /"[^"]*"?|'[^']*'?|[^\s,;&}\]]*/.source;
  return text
    .replace(/(<secret\b[^<>]*>)[^<]*/gi, '$1')
    .replace(new RegExp(`["']?\\bsecret["')\\]}]{0,3}(?:${after})(?:${value})`, 'gi'), '');
}
