import { appendFileSync } from 'node:fs';

export async function handler(event: { source: string }): Promise<void> {
  appendFileSync(process.env.FIXTURE_NOTES ?? '', `tick ${event.source}\n`);
}
