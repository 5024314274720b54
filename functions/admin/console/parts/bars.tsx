import type { Summary } from '../api.ts';
import { texts } from '../texts.ts';

type Hour = Summary['today']['hours'][number];

const t = texts.overview;
const HOURS = 24;
/** The drawing is stretched to the room that there is: its words stand outside of it. */
const SLOT = 30;
const WIDTH = HOURS * SLOT;
const HEIGHT = 120;
/** Of a slot: two bars side by side. */
const BAR = 10;
const KINDS = ['received', 'sent'] as const;

interface BarsProps {
  /** When the first hour begins. */
  readonly since: string;
  readonly today: readonly Hour[];
  /** The same day a week before. */
  readonly before: readonly Hour[];
}

/** What came in and went out hour by hour, and behind it how it was a week before. Whoever cannot see it hears the sums. */
export function Bars({ since, today, before }: BarsProps) {
  const highest = Math.max(4, ...[...today, ...before].flatMap((hour) => KINDS.map((kind) => hour[kind])));
  const heightOf = (count: number) => (count === 0 ? 0 : Math.max(2, (HEIGHT * count) / highest));
  const start = new Date(since);
  const hourAt = (slot: number) => new Date(start.getTime() + slot * 3_600_000).getHours();
  const draw = (hours: readonly Hour[], isBefore: boolean) =>
    hours.slice(0, HOURS).flatMap((hour, slot) =>
      KINDS.map((kind, i) => {
        const height = heightOf(hour[kind]);
        const x = slot * SLOT + SLOT / 2 + (i === 0 ? -BAR - 1 : 1);
        if (height === 0) return null;
        return (
          <rect
            key={`${kind}${slot}`}
            class={isBefore ? 'bar before' : `bar ${kind}`}
            x={isBefore ? x - 1.5 : x}
            y={HEIGHT - height}
            width={isBefore ? BAR + 3 : BAR}
            height={height}
          >
            <title>{t.bar(hourAt(slot), hour[kind], t.legend[kind], isBefore)}</title>
          </rect>
        );
      }),
    );
  const sum = (hours: readonly Hour[], kind: (typeof KINDS)[number]) =>
    hours.reduce((total, hour) => total + hour[kind], 0);
  return (
    <figure class="chart">
      <p class="tick">{highest}</p>
      <svg
        class="bars"
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={t.chart(sum(today, 'received'), sum(today, 'sent'))}
      >
        {draw(before, true)}
        {draw(today, false)}
      </svg>
      <p class="ticks-below" aria-hidden="true">
        {Array.from({ length: HOURS / 3 }, (_, i) => (
          <span key={i}>{String(hourAt(i * 3)).padStart(2, '0')}</span>
        ))}
      </p>
      <figcaption>
        {KINDS.map((kind) => (
          <span key={kind} class={`key ${kind}`}>
            {t.legend[kind]}
          </span>
        ))}
        <span class="key before">{t.legend.before}</span>
      </figcaption>
    </figure>
  );
}
