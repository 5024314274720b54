import type { ParsedJson } from '#lib/domain/json.ts';
import type { Log } from '../ports.ts';
import type { Draft, Reading, ReceivingProvider } from './provider.ts';

/** Said instead of what went wrong inside. */
export const OUR_FAULT = { path: '', message: 'could not be processed; the fault is ours and the event is kept' };

/** A body up to this size is shown by any answer of the API, whatever its characters: JSON writes one as six at most. */
const ALWAYS_SHOWN = 600 * 1024;
const LONGEST_SHOWN = 4 * 1024 * 1024;
const TOO_LONG = { path: '', message: 'is too long to be shown, with its control characters spelled out; read it raw' };

/**
 * What a delivery is read as, whichever way it came: a delivery that takes another way must be read alike, or the id
 * that was answered never exists. `raw`: the body as it is kept, without a secret.
 */
export function readBody(provider: ReceivingProvider, parsed: ParsedJson, raw: Uint8Array, log: Log): Reading {
  return bounded(readWhole(provider, parsed, raw, log), raw);
}

/** Without a bound on the number of events: for whoever asks for this one body to be read again, and waits for it. */
export function readWhole(provider: ReceivingProvider, parsed: ParsedJson, raw: Uint8Array, log: Log): Reading {
  if (!parsed.ok) return { issues: [parsed.issue] };
  try {
    const reading = provider.read(parsed.value);
    return 'drafts' in reading && raw.length > ALWAYS_SHOWN && reading.drafts.some(isTooLong)
      ? { issues: [TOO_LONG] }
      : reading;
  } catch (cause) {
    // A reader that throws is a fault of ours: the body waits in quarantine for the release that mends it.
    log.error('a reader failed; the event is in quarantine', cause, { provider: provider.name });
    return { issues: [OUR_FAULT] };
  }
}

const isTooLong = ({ payload }: Draft): boolean => Buffer.byteLength(JSON.stringify(payload)) > LONGEST_SHOWN;

/** Each event of a delivery keeps the whole body, so that it can be read again by itself. */
const MOST_EVENTS = 200;
const MOST_BYTES_KEPT = 16 * 1024 * 1024;

function bounded(reading: Reading, raw: Uint8Array): Reading {
  if ('issues' in reading) return reading;
  const count = reading.drafts.length;
  if (count <= MOST_EVENTS && (count === 1 || count * raw.length <= MOST_BYTES_KEPT)) return reading;
  return { issues: [{ path: '', message: `holds ${count} events, more than can be stored at once; replay it` }] };
}
