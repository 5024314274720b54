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

export const isText = (value: unknown): value is string => typeof value === 'string';
export const isTextOrNone = (value: unknown): value is string | undefined => value === undefined || isText(value);
const isNumber = (value: unknown): value is number => typeof value === 'number';
const isNumberOrNone = (value: unknown): value is number | undefined => value === undefined || isNumber(value);
export const isTruthOrNone = (value: unknown): value is boolean | undefined =>
  value === undefined || typeof value === 'boolean';

/** Texts that can stand one in a line, and be read back as they were. */
export const areLines = (value: unknown): value is readonly string[] =>
  Array.isArray(value) && value.every((one) => isText(one) && one !== '' && !/[\r\n]/.test(one));
const areLinesOrNone = (value: unknown): value is readonly string[] | undefined =>
  value === undefined || areLines(value);

type Shape = Readonly<Record<string, (value: unknown) => boolean>>;
type Shaped<Of extends Shape> = {
  readonly [Name in keyof Of]: Of[Name] extends (value: unknown) => value is infer Value ? Value : unknown;
};

/** The first field that a shape does not have, or has in another way. */
export const misfitIn = (shape: Shape, draft: Draft): string | undefined =>
  [...Object.keys(draft), ...Object.keys(shape)].find((name) => !shape[name]?.(draft[name]));
export const fits = <Of extends Shape>(shape: Of, draft: unknown): draft is Shaped<Of> =>
  isDraft(draft) && misfitIn(shape, draft) === undefined;

const PER_CONTACT = { max: isNumber, seconds: isNumber };
type PerContact = Shaped<typeof PER_CONTACT>;
const GUARD = {
  perContact: (value: unknown): value is PerContact | undefined => value === undefined || fits(PER_CONTACT, value),
  quietAfterHumanSeconds: isNumberOrNone,
  groups: isTruthOrNone,
  maxAgeSeconds: isNumberOrNone,
};
export type Guard = Shaped<typeof GUARD>;
/** What the form has fields for; what conditions and actions hold it shows as JSON where it has none for that. */
export const RULE = {
  ...{ name: isTextOrNone, enabled: isTruthOrNone, on: areLinesOrNone, accounts: areLinesOrNone },
  when: (_value: unknown): _value is unknown => true,
  ...{ timeZone: isTextOrNone, order: isNumberOrNone, stop: isTruthOrNone },
  do: (value: unknown): value is readonly unknown[] | undefined => value === undefined || Array.isArray(value),
  guard: (value: unknown): value is Guard | undefined => value === undefined || fits(GUARD, value),
};
export type RuleInForm = Shaped<typeof RULE>;

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

const DAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];
const areDays = (value: unknown): value is readonly string[] =>
  Array.isArray(value) && value.every((day) => DAYS.includes(day)) && new Set(value).size === value.length;
const areTimes = (value: unknown): value is readonly [string, string] =>
  Array.isArray(value) && value.length === 2 && value.every((one) => isText(one) && /^(?:\d\d:\d\d)?$/.test(one));

/** What is compared with, by the control that shows it. */
export type Operand =
  | { readonly kind: 'text'; readonly value: string }
  | { readonly kind: 'truth'; readonly value: boolean }
  | { readonly kind: 'lines'; readonly value: readonly string[] }
  | { readonly kind: 'days'; readonly value: readonly string[] }
  | { readonly kind: 'times'; readonly value: readonly [string, string] }
  | { readonly kind: 'limit'; readonly value: number | string };

const TRUTHS: readonly string[] = ['hasFile', 'message.forwarded'];

function operandOf(field: string, operator: Operator, value: unknown): Operand | undefined {
  if (operator === 'exists' || TRUTHS.includes(field)) {
    return typeof value === 'boolean' ? { kind: 'truth', value } : undefined;
  }
  if (LISTS.includes(operator)) {
    if (field === 'now.weekday' && areDays(value)) return { kind: 'days', value };
    return areLines(value) ? { kind: 'lines', value } : undefined;
  }
  if (operator === 'between') return areTimes(value) ? { kind: 'times', value } : undefined;
  if (LIMITS.includes(operator)) {
    const isLimit = isNumber(value) || (isText(value) && isText(limitIn(value)));
    return isLimit ? { kind: 'limit', value } : undefined;
  }
  return isText(value) ? { kind: 'text', value } : undefined;
}

/** A number where it is written as one; else the text, which has to be a time. */
export const limitIn = (text: string): number | string => numberIn(text) ?? text;

export function numberIn(text: string): number | undefined {
  const number = Number(text);
  return text.trim() === '' || !Number.isFinite(number) ? undefined : number;
}

/** A comparison as the form shows it. */
export interface Comparison {
  /** It must not hold. */
  readonly isNot: boolean;
  readonly leaf: Draft;
  readonly field: string;
  readonly operator: Operator;
  readonly operand: Operand;
}

/** Undefined where the form has no fields for it. */
export function comparisonOf(condition: unknown): Comparison | undefined {
  if (!isDraft(condition)) return undefined;
  if (Object.keys(condition).join() === 'not') {
    const inner = comparisonOf(condition.not);
    return inner?.isNot === false ? { ...inner, isNot: true } : undefined;
  }
  const { field, caseSensitive, ...compared } = condition;
  const [operator = '', ...more] = Object.keys(compared);
  if (!isText(field) || !isTruthOrNone(caseSensitive) || !isOperator(operator) || more.length > 0) return undefined;
  const operand = operandOf(field, operator, compared[operator]);
  return operand && { isNot: false, leaf: condition, field, operator, operand };
}

/** The conditions of which all or any must hold. */
export interface Group {
  readonly kind: 'all' | 'any';
  readonly of: readonly unknown[];
  /** It is one condition, or none, and no group. */
  readonly isAlone: boolean;
}

export function groupOf(when: unknown): Group {
  const [[kind, of] = [], ...others] = isDraft(when) ? Object.entries(when) : [];
  return others.length === 0 && (kind === 'all' || kind === 'any') && Array.isArray(of)
    ? { kind, of, isAlone: false }
    : { kind: 'all', of: when === undefined ? [] : [when], isAlone: true };
}

export function grouped({ kind, of, isAlone }: Group): unknown {
  return of.length === 0 || (of.length === 1 && isAlone) ? of[0] : { [kind]: of };
}

/** The operators that make sense for a field. */
export function operatorsFor(field: string): readonly Operator[] {
  if (TRUTHS.includes(field)) return ['is', 'isNot', 'exists'];
  if (field === 'now.time') return ['between'];
  if (field === 'now.weekday') return ['in', 'notIn'];
  return OPERATORS.filter((one) => one !== 'between');
}

/** The comparison of a field by an operator; what was compared with is kept where that takes it. */
export function comparedBy(leaf: Draft, field: string, chosen: Operator): Draft {
  const fitting = operatorsFor(field);
  const operator = fitting.includes(chosen) ? chosen : (fitting[0] ?? 'is');
  const { field: _field, caseSensitive, ...compared } = leaf;
  const [before] = Object.values(compared);
  const takes = [before, Array.isArray(before) ? before[0] : [before], '', [], true, ['', '']];
  const operand = takes.find((value) => operandOf(field, operator, value));
  return withField(
    { field, [operator]: operand },
    'caseSensitive',
    FOLDED.includes(operator) ? caseSensitive : undefined,
  );
}

export const NEW_LEAF: Draft = { field: 'text', words: [] };

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
