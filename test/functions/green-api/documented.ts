import { readFileSync } from 'node:fs';
import * as v from 'valibot';
import { incoming } from './payloads.ts';

const fixture = (name: string): unknown =>
  JSON.parse(readFileSync(new URL(`fixtures/${name}.json`, import.meta.url), 'utf8'));
const Contents = v.array(v.looseObject({ typeMessage: v.string() }));
const Events = v.array(v.looseObject({ typeWebhook: v.string() }));

/** Every event and every content as GREEN-API's documentation shows them, with our own data in them. */
export const documentedContents = v.parse(Contents, fixture('one-content-of-each-type'));
export const documentedEvents = v.parse(Events, fixture('one-event-of-each-type'));
export const documented: readonly [object, ...object[]] = [
  incoming(),
  ...documentedEvents,
  ...documentedContents.map((content) => incoming(content)),
];
