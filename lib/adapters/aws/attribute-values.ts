import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import type { Item, ValueMap } from '#lib/app/store.ts';

export type AttributeMap = Record<string, AttributeValue>;

/** What has no value is left out. Numbers of others, as in what a provider sent, may be larger than is exact. */
export const marshalMap = (map: ValueMap): AttributeMap =>
  marshall(map, { removeUndefinedValues: true, allowImpreciseNumbers: true });

export const unmarshalMap = (map: AttributeMap): ValueMap => unmarshall(map, { wrapNumbers: Number });

export function unmarshalItem(map: AttributeMap): Item {
  const { pk, sk, ...rest } = unmarshalMap(map);
  if (typeof pk !== 'string' || typeof sk !== 'string') throw new TypeError('an item without its key');
  return { pk, sk, ...rest };
}
