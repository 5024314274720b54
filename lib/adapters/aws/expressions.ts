import type { Change, Condition, Path, Value } from '#lib/app/store.ts';
import { type AttributeMap, marshalMap } from './attribute-values.ts';

export interface Parameters {
  ExpressionAttributeNames?: Record<string, string>;
  ExpressionAttributeValues?: AttributeMap;
}

/** Collects names and values of one request, so that each is sent once and no reserved word gets in the way. */
export class Expressions {
  readonly #names = new Map<string, string>();
  readonly #values: Record<string, Value> = {};
  #count = 0;

  /** The parameters of the request; DynamoDB refuses empty ones. */
  get parameters(): Parameters {
    return {
      ...(this.#names.size > 0 && {
        ExpressionAttributeNames: Object.fromEntries([...this.#names].map(([name, alias]) => [alias, name])),
      }),
      ...(this.#count > 0 && { ExpressionAttributeValues: marshalMap(this.#values) }),
    };
  }

  condition(condition: Condition): string {
    switch (condition.kind) {
      case 'exists':
        return `attribute_exists(${this.path(condition.path)})`;
      case 'absent':
        return `attribute_not_exists(${this.path(condition.path)})`;
      case 'compare':
        return `${this.path(condition.path)} ${condition.op} ${this.value(condition.value)}`;
      case 'all':
        return `(${condition.of.map((one) => this.condition(one)).join(' AND ')})`;
      case 'any':
        return `(${condition.of.map((one) => this.condition(one)).join(' OR ')})`;
    }
  }

  update(changes: readonly Change[]): string {
    const sets = changes.flatMap((change) => this.#set(change));
    const removes = changes.filter((change) => change.kind === 'remove').map((change) => this.path(change.path));
    const clauses = [];
    if (sets.length > 0) clauses.push(`SET ${sets.join(', ')}`);
    if (removes.length > 0) clauses.push(`REMOVE ${removes.join(', ')}`);
    return clauses.join(' ');
  }

  #set(change: Change): string[] {
    if (change.kind === 'remove') return [];
    const path = this.path(change.path);
    switch (change.kind) {
      case 'set':
        return [`${path} = ${this.value(change.value)}`];
      case 'setIfAbsent':
        return [`${path} = if_not_exists(${path}, ${this.value(change.value)})`];
      case 'add':
        return [`${path} = if_not_exists(${path}, ${this.value(0)}) + ${this.value(change.by)}`];
      case 'append':
        return [`${path} = list_append(if_not_exists(${path}, ${this.value([])}), ${this.value(change.values)})`];
    }
  }

  path(path: Path): string {
    if (typeof path === 'string') return this.#name(path);
    return path
      .map((step, i) => (typeof step === 'number' ? `[${step}]` : `${i ? '.' : ''}${this.#name(step)}`))
      .join('');
  }

  value(value: Value): string {
    const alias = `:v${this.#count++}`;
    this.#values[alias] = value;
    return alias;
  }

  #name(name: string): string {
    const known = this.#names.get(name);
    if (known !== undefined) return known;
    const alias = `#n${this.#names.size}`;
    this.#names.set(name, alias);
    return alias;
  }
}
