import type { Store } from '#lib/store/store.ts';
import { describeStore } from '#test/contract/store-contract.ts';
import { emulatedStore } from '#test/support/emulated-store.ts';

let shared: Promise<Store> | undefined;

describeStore('DynamoDB', () => {
  shared ??= emulatedStore();
  return shared;
});
