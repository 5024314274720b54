/** What a check came to: the faults that it found, one sentence each, or why it could not look. */
export type Result = { readonly faults: readonly string[]; readonly said?: string } | { readonly skipped: string };

/** Says what came of each check, as it comes, and whether all is well. A check that could not look is said, not hidden. */
export class Report {
  #failed = 0;
  #skipped = 0;

  async check(name: string, look: () => Promise<Result> | Result): Promise<void> {
    const result = await look();
    if ('skipped' in result) {
      this.#skipped += 1;
      console.log(`skipped  ${name}: ${result.skipped}`);
      return;
    }
    if (result.faults.length > 0) this.#failed += 1;
    console.log(`${result.faults.length > 0 ? 'FAILED ' : 'ok     '}  ${name}`);
    if (result.said) console.log(indented(result.said));
    for (const fault of result.faults) console.log(indented(fault));
  }

  /** True when every check that could look found nothing. */
  conclude(): boolean {
    const skipped = this.#skipped > 0 ? `, ${this.#skipped} could not be made here` : '';
    console.log(this.#failed > 0 ? `${this.#failed} checks failed${skipped}` : `nothing is wrong${skipped}`);
    return this.#failed === 0;
  }
}

const indented = (text: string): string => text.trimEnd().replaceAll(/^/gm, '           ');
