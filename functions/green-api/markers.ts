import type { Message } from '#lib/domain/message.ts';

export type Fault = NonNullable<Message['error']>;

const MEANINGS: ReadonlyMap<string, string> = new Map([
  ['SWE001', 'The content could not be read on a linked device; the message itself may follow'],
  ['SWE002', 'The file is over the size limit and was not fetched'],
  ['SWE003', 'The keys to read the message were lost; ask the sender to repeat it'],
  ['SWE004', 'The group is above the supported size'],
  ['SWE999', 'The message could not be read'],
]);

export function faultOf(code: string): Fault {
  return { code, message: MEANINGS.get(code) ?? 'The content could not be handed over' };
}

const BARE = /^\{\{(SWE\d{3})\}\}$/;
const WITH_WORDS = /^(SWE004)(?::|$)/;

/** What is wrong, where a text or link is one of the marks that GREEN-API puts in the place of what it does not have. */
export function markerIn(text: string | undefined): Fault | undefined {
  const written = text?.trim() ?? '';
  const code = (BARE.exec(written) ?? WITH_WORDS.exec(written))?.[1];
  return code === undefined ? undefined : faultOf(code);
}

/** A mark that says nothing to a reader. */
export function isBareMark(text: string): boolean {
  return BARE.test(text.trim());
}
