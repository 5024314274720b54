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

/** What is wrong, where a text or link is one of the marks that GREEN-API puts in the place of what it does not have. */
export function markerIn(text: string | undefined): Fault | undefined {
  const found = /^(?:\{\{(SWE\d{3})\}\}$|(SWE004)(?::|$))/.exec(text?.trim() ?? '');
  const code = found?.[1] ?? found?.[2];
  return code === undefined ? undefined : faultOf(code);
}
