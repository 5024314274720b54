import { ruleTexts } from './texts.ts';

/*
 * A rule while it is being written is the JSON that the API takes; the form is a view of it. What the form has no control
 * for stays in the rule as it is and is shown as JSON, so that form and JSON can be switched at any moment and lose nothing.
 */

export type Draft = Readonly<Record<string, unknown>>;

export const isDraft = (value: unknown): value is Draft =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The field at its place, or without it where there is nothing to write. */
export function withField(draft: Draft, name: string, value: unknown): Draft {
  if (value !== undefined) return { ...draft, [name]: value };
  const { [name]: _gone, ...rest } = draft;
  return rest;
}

export const withItem = (items: readonly unknown[], at: number, item: unknown): readonly unknown[] =>
  items.map((one, i) => (i === at ? item : one));
export const withoutItem = (items: readonly unknown[], at: number): readonly unknown[] =>
  items.filter((_one, i) => i !== at);

export const hasOnly = (draft: Draft, names: readonly string[]): boolean =>
  Object.keys(draft).every((name) => names.includes(name));

export const isText = (value: unknown): value is string => typeof value === 'string';
export const isTextOrNone = (value: unknown): value is string | undefined => value === undefined || isText(value);
export const isNumberOrNone = (value: unknown): value is number | undefined =>
  value === undefined || typeof value === 'number';
export const isTruthOrNone = (value: unknown): value is boolean | undefined =>
  value === undefined || typeof value === 'boolean';

/** Texts that can stand one in a line, and be read back as they were. */
export const areLines = (value: unknown): value is readonly string[] =>
  Array.isArray(value) && value.every((one) => isText(one) && one !== '' && !/[\r\n]/.test(one));

export const OPERATORS = [
  ...(['is', 'isNot', 'in', 'notIn', 'contains', 'startsWith', 'endsWith', 'words', 'allWords', 'matches'] as const),
  ...(['lessThan', 'atMost', 'greaterThan', 'atLeast', 'between', 'exists'] as const),
];
export type Operator = (typeof OPERATORS)[number];
export const isOperator = (name: string): name is Operator => OPERATORS.some((one) => one === name);

const LISTS: readonly Operator[] = ['in', 'notIn', 'words', 'allWords'];
const LIMITS: readonly Operator[] = ['lessThan', 'atMost', 'greaterThan', 'atLeast'];
const TEXTS: readonly Operator[] = ['contains', 'startsWith', 'endsWith', 'matches'];
/** Of these, case is folded unless it counts. */
export const FOLDED: readonly Operator[] = ['is', 'isNot', ...TEXTS, ...LISTS];

export const DAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];
const areDays = (value: unknown): value is readonly string[] =>
  Array.isArray(value) && value.every((day) => DAYS.includes(day)) && new Set(value).size === value.length;
const areTimes = (value: unknown): value is readonly [string, string] =>
  Array.isArray(value) && value.length === 2 && value.every((one) => isText(one) && /^(?:\d\d:\d\d)?$/.test(one));

/** What is compared with, by the control that shows it. */
export type Operand =
  | { readonly kind: 'text'; readonly value: string }
  | { readonly kind: 'number'; readonly value: number }
  | { readonly kind: 'truth'; readonly value: boolean }
  | { readonly kind: 'lines'; readonly value: readonly string[] }
  | { readonly kind: 'days'; readonly value: readonly string[] }
  | { readonly kind: 'times'; readonly value: readonly [string, string] }
  | { readonly kind: 'limit'; readonly value: number | string };

function operandOf(field: string, operator: Operator, value: unknown): Operand | undefined {
  if (LISTS.includes(operator)) {
    if (field === 'now.weekday' && areDays(value)) return { kind: 'days', value };
    return areLines(value) ? { kind: 'lines', value } : undefined;
  }
  if (operator === 'between') return areTimes(value) ? { kind: 'times', value } : undefined;
  if (LIMITS.includes(operator)) {
    const isLimit = typeof value === 'number' || (isText(value) && typeof limitIn(value) === 'string');
    return isLimit ? { kind: 'limit', value } : undefined;
  }
  if (typeof value === 'boolean') return TEXTS.includes(operator) ? undefined : { kind: 'truth', value };
  if (operator === 'exists') return undefined;
  if (isText(value)) return { kind: 'text', value };
  return typeof value === 'number' && !TEXTS.includes(operator) ? { kind: 'number', value } : undefined;
}

/** A number where it is written as one; else the text, which has to be a time. */
export const limitIn = (text: string): number | string => numberIn(text) ?? text;

export function numberIn(text: string): number | undefined {
  const number = Number(text);
  return text.trim() === '' || !Number.isFinite(number) ? undefined : number;
}

/** A condition as the form shows it. */
export type Shown =
  | { readonly kind: 'all' | 'any'; readonly of: readonly unknown[] }
  | { readonly kind: 'not'; readonly of: unknown }
  | {
      readonly kind: 'leaf';
      readonly leaf: Draft;
      readonly field: string;
      readonly operator: Operator;
      readonly operand: Operand;
    }
  | { readonly kind: 'json' };

export function shownOf(condition: unknown): Shown {
  if (!isDraft(condition)) return { kind: 'json' };
  const [name = '', ...others] = Object.keys(condition);
  if (others.length === 0) {
    const of = condition[name];
    if ((name === 'all' || name === 'any') && Array.isArray(of)) return { kind: name, of };
    if (name === 'not') return { kind: 'not', of };
  }
  const { field, caseSensitive, ...compared } = condition;
  const [operator = '', ...more] = Object.keys(compared);
  if (!isText(field) || !isTruthOrNone(caseSensitive) || !isOperator(operator) || more.length > 0)
    return { kind: 'json' };
  const operand = operandOf(field, operator, compared[operator]);
  return operand ? { kind: 'leaf', leaf: condition, field, operator, operand } : { kind: 'json' };
}

const TRUTHS: readonly string[] = ['hasFile', 'message.forwarded'];

/** The operators that make sense for a field. */
export function operatorsFor(field: string): readonly Operator[] {
  if (TRUTHS.includes(field)) return ['is', 'isNot', 'exists'];
  if (field === 'now.time') return ['between'];
  if (field === 'now.weekday') return ['in', 'notIn'];
  return OPERATORS.filter((one) => one !== 'between');
}

/** Whether what it is compared with may be something else than a text; of the short names it is known. */
export const isOfAnyKind = (field: string): boolean => !Object.hasOwn(ruleTexts.fields, field);

/** The comparison with another field: by what it was compared with, where that makes sense there. */
export function withFieldName(leaf: Draft, field: string): Draft {
  const shown = shownOf(leaf);
  const fitting = operatorsFor(field);
  const renamed = withField(leaf, 'field', field);
  if (shown.kind !== 'leaf') return renamed;
  const isKept =
    shownOf(renamed).kind === 'leaf' &&
    fitting.includes(shown.operator) &&
    (shown.operator === 'exists' || TRUTHS.includes(field) === (shown.operand.kind === 'truth'));
  const [first = 'is'] = fitting;
  return isKept ? renamed : withOperator(renamed, fitting.includes(shown.operator) ? shown.operator : first);
}

/** The comparison by another operator; what was compared with is kept where the other takes it. */
export function withOperator(leaf: Draft, operator: Operator): Draft {
  const shown = shownOf(leaf);
  const field = String(leaf.field ?? '');
  const before = shown.kind === 'leaf' ? shown.operand.value : undefined;
  const caseSensitive = FOLDED.includes(operator) ? leaf.caseSensitive : undefined;
  return withField({ field, [operator]: emptyOf(operator, field, before) }, 'caseSensitive', caseSensitive);
}

function emptyOf(operator: Operator, field: string, before: unknown): unknown {
  const [first = ''] = Array.isArray(before) ? before : [before];
  if (operator === 'between') return ['', ''];
  if (operator === 'exists') return true;
  if (LISTS.includes(operator)) {
    if (areLines(before)) return before;
    return isText(before) && before !== '' ? [before] : [];
  }
  if (TRUTHS.includes(field)) return true;
  if (LIMITS.includes(operator)) return typeof first === 'number' ? first : limitIn(isText(first) ? first : '');
  return isText(first) || !TEXTS.includes(operator) ? first : '';
}

export const NEW_LEAF: Draft = { field: 'text', words: [] };

/** The same conditions under another head: nothing of them goes. */
export function regrouped(condition: unknown, kind: 'all' | 'any' | 'not'): Draft {
  const of = membersOf(condition);
  if (kind !== 'not') return { [kind]: of };
  return { not: of.length === 1 ? of[0] : { all: of } };
}

function membersOf(condition: unknown): readonly unknown[] {
  const shown = shownOf(condition);
  if (shown.kind === 'not') return [shown.of];
  return shown.kind === 'all' || shown.kind === 'any' ? shown.of : [condition];
}

/** What `text` says, where it is JSON of a rule. */
export function draftIn(text: string): Draft | undefined {
  const value = jsonIn(text);
  return isDraft(value?.json) ? value.json : undefined;
}

export function jsonIn(text: string): { readonly json: unknown } | undefined {
  try {
    const json: unknown = JSON.parse(text);
    return { json };
  } catch {
    return undefined;
  }
}

export const textOf = (value: unknown): string => JSON.stringify(value, null, 2);
