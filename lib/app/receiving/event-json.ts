import type { Event } from '#lib/domain/event.ts';

/**
 * An event as stored: its JSON with a number in the place of each thumbnail, and the thumbnails apart. A list of
 * messages is read often and rarely needs the pictures, and one picture can be larger than an item may be.
 */
export interface EncodedEvent {
  readonly json: string;
  readonly thumbnails: readonly string[];
}

export function encodeEvent(event: Event): EncodedEvent {
  const thumbnails: string[] = [];
  const json = JSON.stringify(event, (key, value: unknown) =>
    key === 'thumbnail' && typeof value === 'string' ? thumbnails.push(value) - 1 : value,
  );
  return { json, thumbnails };
}

export function decodeEvent({ json, thumbnails }: EncodedEvent): Event {
  return JSON.parse(json, (key, value: unknown) =>
    key === 'thumbnail' && typeof value === 'number' ? thumbnails[value] : value,
  );
}
