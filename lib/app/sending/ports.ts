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
