export interface Patience {
  /** From now on, and in place of what was waited for before. */
  atMost(milliseconds: number, reason: string): void;
  stop(): void;
}

/** Gives up on a step that takes too long, and on any step once the time for the whole is over. */
export function patience(remaining: () => number, giveUp: (reason: string) => void): Patience {
  let timer: NodeJS.Timeout | undefined;
  const stop = () => clearTimeout(timer);
  return {
    stop,
    atMost: (milliseconds, reason) => {
      stop();
      timer = setTimeout(() => giveUp(reason), Math.max(0, Math.min(milliseconds, remaining())));
    },
  };
}
