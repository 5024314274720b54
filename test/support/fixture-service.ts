import { fileURLToPath } from 'node:url';

/** A service of small functions that show what the host does with them. */
export const fixtureService = fileURLToPath(new URL('./service/serverless.yml', import.meta.url));
