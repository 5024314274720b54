const LOOKALIKE: Readonly<Record<string, string>> = { '{': '\u2774', '}': '\u2775' };

/**
 * Zender takes `{one|two}` for a choice, and drops the braces of `{one}`; there is no escape. Braces that it would
 * take for its own are therefore written with the ornaments that look like them. One that has no partner stays.
 */
export function withoutSpintax(text: string): string {
  const paired = new Set<number>();
  const open: number[] = [];
  for (const { index, 0: brace } of text.matchAll(/[{}]/g)) {
    if (brace === '{') open.push(index);
    else {
      const partner = open.pop();
      if (partner !== undefined) paired.add(partner).add(index);
    }
  }
  return text.replace(/[{}]/g, (brace, at: number) => (paired.has(at) ? (LOOKALIKE[brace] ?? brace) : brace));
}
