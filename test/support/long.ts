import { sha256 } from '#lib/domain/ids.ts';

/** Does not fit into one item, however well it is compressed. */
export const LONG = Array.from({ length: 12_000 }, (_, i) => sha256(String(i))).join(' ');
