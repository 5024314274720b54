import type { Change, Comparison, Condition, Item, Path, Value, ValueMap } from '#lib/store/store.ts';

type Step = string | number;

const stepsOf = (path: Path): readonly Step[] => (typeof path === 'string' ? [path] : path);

const isList = (value: Value | undefined): value is readonly Value[] => Array.isArray(value);
const isMap = (value: Value | undefined): value is ValueMap =>
  typeof value === 'object' && value !== null && !isList(value) && !(value instanceof Uint8Array);

function at(value: Value | undefined, steps: readonly Step[]): Value | undefined {
  const [step, ...rest] = steps;
  if (step === undefined) return value;
  if (typeof step === 'number') return isList(value) ? at(value[step], rest) : undefined;
  return isMap(value) ? at(value[step], rest) : undefined;
}

/** A comparison with what is missing, or of another type, is false. */
export function holds(condition: Condition, item: Item | undefined): boolean {
  switch (condition.kind) {
    case 'exists':
      return at(item, stepsOf(condition.path)) !== undefined;
    case 'absent':
      return at(item, stepsOf(condition.path)) === undefined;
    case 'compare':
      return compares(at(item, stepsOf(condition.path)), condition.op, condition.value);
    case 'all':
      return condition.of.every((part) => holds(part, item));
    case 'any':
      return condition.of.some((part) => holds(part, item));
  }
}

function compares(found: Value | undefined, op: Comparison, wanted: Value): boolean {
  if (found === undefined) return false;
  if (op === '=') return isEqual(found, wanted);
  if (typeof found !== typeof wanted) return false;
  if (typeof found !== 'number' && typeof found !== 'string') return false;
  if (typeof wanted !== 'number' && typeof wanted !== 'string') return false;
  const order = found < wanted ? -1 : Number(found > wanted);
  return { '<': order < 0, '<=': order <= 0, '>': order > 0, '>=': order >= 0 }[op];
}

const isEqual = (a: Value, b: Value): boolean => a === b || JSON.stringify(a) === JSON.stringify(b);

/** All changes read the item as it was; two of them that touch the same place are refused. */
export function changed(changes: readonly Change[], before: Item): Item {
  const paths = changes.map((change) => stepsOf(change.path));
  paths.forEach((path, i) => {
    if (path[0] === 'pk' || path[0] === 'sk') throw new Error('a key cannot be changed');
    const clash = paths.find((other, j) => j !== i && path.every((step, k) => other[k] === step));
    if (clash) throw new Error(`two changes overlap: ${path.join('.')} and ${clash.join('.')}`);
  });
  const after = changes.reduce<ValueMap>((item, change) => {
    const next = replaced(item, stepsOf(change.path), valueAfter(change, before));
    if (!isMap(next)) throw new Error('an item is a map');
    return next;
  }, before);
  return { ...after, pk: before.pk, sk: before.sk };
}

function valueAfter(change: Change, before: Item): Value | undefined {
  const current = at(before, stepsOf(change.path));
  switch (change.kind) {
    case 'set':
      return structuredClone(change.value);
    case 'setIfAbsent':
      return current ?? structuredClone(change.value);
    case 'add':
      if (current !== undefined && typeof current !== 'number') throw new Error('only a number can be added to');
      return (current ?? 0) + change.by;
    case 'append':
      if (current !== undefined && !isList(current)) throw new Error('only a list can be appended to');
      return [...(current ?? []), ...structuredClone(change.values)];
    case 'remove':
      return undefined;
  }
}

/** A copy in which the place has another value. Its parent must exist: DynamoDB makes no maps on the way. */
function replaced(
  parent: Value | undefined,
  [step, ...rest]: readonly Step[],
  value: Value | undefined,
): Value | undefined {
  if (step === undefined) return value;
  if (typeof step === 'number') {
    if (!isList(parent)) throw new Error(`no list to find place ${step} in`);
    const element = replaced(parent[step], rest, value);
    if (element === undefined) return parent.filter((_, i) => i !== step);
    return Object.assign([...parent], { [step]: element });
  }
  if (!isMap(parent)) throw new Error(`no map to find ${step} in`);
  const child = replaced(parent[step], rest, value);
  const { [step]: _, ...others } = parent;
  return child === undefined ? others : { ...others, [step]: child };
}
