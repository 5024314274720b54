import { Liquid } from 'liquidjs';
import { isRecord } from '#lib/domain/json.ts';
import { fieldsOf, type Told } from '#lib/domain/reaction/condition.ts';
import type { Budget } from './budget.ts';

/*
 * Texts of rules are Liquid, rendered over the event. Somebody else writes them and anybody's words go into them: what they
 * may take of time and memory has a bound, and they reach nothing but the event.
 */

const MOST_MS = 50;
const MOST_BYTES = 100_000;
/** A machine that is busy with something else makes every template slow: what is not rendered is given up. */
const TRIES = 3;
const TOO_SLOW = /^template render limit exceeded/;

const liquid = new Liquid({
  ...{ parseLimit: 10_000, renderLimit: MOST_MS, memoryLimit: MOST_BYTES },
  ...{ ownPropertyOnly: true, strictFilters: true, strictVariables: false, cache: 500 },
  // Months and days have the same names on every machine. Without this the machine is asked, which takes 15 ms of each start.
  locale: 'en-US',
  // There are no files: a template that includes another is refused. Left on, paths are warned of at each start.
  relativeReference: false,
  fs: {
    readFileSync: refuse,
    readFile: async () => refuse(),
    existsSync: () => false,
    exists: async () => false,
    resolve: (_root: string, name: string) => name,
  },
});

function refuse(): never {
  throw new Error('a template includes no other');
}
// Refused when it is written, rather than by each run.
for (const tag of ['include', 'render', 'layout', 'block']) liquid.registerTag(tag, { parse: refuse, render: refuse });

/** Why a template is none; undefined where it is one. */
export function templateFault(template: string): string | undefined {
  try {
    liquid.parse(template);
    return undefined;
  } catch (error) {
    return `is no template: ${sentenceOf(error)}`;
  }
}

export type Rendered =
  | { readonly kind: 'rendered'; readonly text: string }
  | { readonly kind: 'failed'; readonly reason: string };

/** What an event can be asked by in a template: `{{ sender.name }}`, `{{ text }}`, and all of it under `event`. */
export function scopeOf(told: Told, now: number, timeZone: string): Readonly<Record<string, unknown>> {
  return { ...fieldsOf({ ...told, now, timeZone }), event: told.event };
}

export function render(template: string, scope: Readonly<Record<string, unknown>>, left = TRIES - 1): Rendered {
  try {
    const text = String(liquid.parseAndRenderSync(template, { ...scope }));
    if (Buffer.byteLength(text) > MOST_BYTES) return { kind: 'failed', reason: 'it renders to more than 100 kB' };
    return { kind: 'rendered', text };
  } catch (error) {
    const reason = sentenceOf(error);
    return left > 0 && TOO_SLOW.test(reason) ? render(template, scope, left - 1) : { kind: 'failed', reason };
  }
}

/** Each string of a value, rendered by itself: what comes out is never taken for JSON. Throws where one cannot be. */
export function renderJson(value: unknown, scope: Readonly<Record<string, unknown>>, budget: Budget): unknown {
  if (typeof value === 'string') {
    if (budget.isSpent()) throw new Error('it takes more than a second to render');
    const rendered = budget.spend(() => render(value, scope));
    if (rendered.kind === 'failed') throw new Error(rendered.reason);
    return rendered.text;
  }
  if (Array.isArray(value)) return value.map((one) => renderJson(one, scope, budget));
  if (!isRecord(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, renderJson(one, scope, budget)]));
}

/** The first line of what the library says: the rest shows the template. */
const sentenceOf = (error: unknown): string =>
  error instanceof Error ? (error.message.split('\n')[0] ?? '').slice(0, 200) : 'it cannot be read';
