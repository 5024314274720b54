/** One line of the table. */
export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** What nobody could do without, measured in the same run. */
  readonly floor?: number;
  /** Of the value to the floor, where both were measured pair by pair. */
  readonly ratio?: number;
  /** What the figure should be; a ratio is that of the value to the floor. */
  readonly aim?: Aim;
}

export interface Aim {
  readonly of: 'ratio' | 'value';
  readonly at: 'most' | 'least';
  readonly bound: number;
}

export type Benchmark = () => Promise<readonly Figure[]>;

export const atMost = (of: Aim['of'], bound: number): Aim => ({ of, at: 'most', bound });
export const atLeast = (of: Aim['of'], bound: number): Aim => ({ of, at: 'least', bound });

export function ratioOf({ value, floor, ratio }: Figure): number | undefined {
  if (ratio !== undefined) return ratio;
  return floor === undefined || floor === 0 ? undefined : value / floor;
}

/** Whether the aim was reached; nothing where there is none. */
export function isReached(figure: Figure): boolean | undefined {
  const { aim } = figure;
  if (!aim) return undefined;
  const measured = aim.of === 'value' ? figure.value : ratioOf(figure);
  if (measured === undefined) return false;
  return aim.at === 'most' ? measured <= aim.bound : measured >= aim.bound;
}
