/** How a workspace comes by its credits. */
export type QuotaKind =
  | { readonly kind: 'prepaid' }
  /** So many are granted anew each calendar month (UTC); what is left of the month before stays there. */
  | { readonly kind: 'monthly'; readonly credits: number };

/** The period that a credit is charged to, and refunded to: `lifetime`, or a month such as `2026-11`. */
export type Epoch = string;

export function epochAt(quota: QuotaKind, iso: string): Epoch {
  return quota.kind === 'prepaid' ? 'lifetime' : iso.slice(0, 7);
}

/** One credit per message that goes out: text beside a file goes as its own. */
export function creditsFor(content: { readonly text: string; readonly file?: unknown }): number {
  return content.file !== undefined && content.text !== '' ? 2 : 1;
}
