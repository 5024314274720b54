/** `npm run demo`, beside a hub that is running. */
import { demonstrate } from './demonstrate.ts';
import { runningHub } from './hub.ts';

try {
  await demonstrate(await runningHub(process.env));
} catch (error) {
  console.error(`hookline demo: ${error instanceof Error ? error.message : String(error)}`);
  process.exit(1);
}
