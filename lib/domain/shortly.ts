const LONGEST = 500;

/** Words of somebody else as far as people read them in a list: they are kept in items that have a largest size. */
export const shortly = (words: string): string => words.slice(0, LONGEST).toWellFormed();
