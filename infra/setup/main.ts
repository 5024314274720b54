/**
 * `npm run setup -- --stage prod`: makes what a deployed stack needs and CloudFormation cannot make. Standard output is
 * for the key alone, so that a script can take it from there.
 */
import { randomBytes } from 'node:crypto';
import { type Asked, readArguments, refusal, setUp, stageOnAws, USAGE } from './setup.ts';

const asked = readArguments(process.argv.slice(2), process.env.AWS_REGION);
if (asked.kind === 'help') console.log(USAGE);
else if (asked.kind === 'wrong') fail(`${asked.why}\n\n${USAGE}`);
else await run(asked);

async function run({ stage, region, ...asked }: Extract<Asked, { kind: 'setup' }>): Promise<void> {
  const deployed = stageOnAws(`hookline-${stage}`, `/hookline/${stage}/admin-key`, region);
  const makeKey = () => randomBytes(24).toString('base64url');
  try {
    const { done, lines, key } = await setUp(deployed, { stage, region, makeKey, ...asked });
    for (const line of lines) console.error(line);
    if (key !== undefined) console.log(key);
    if (!done) process.exitCode = 1;
  } catch (error) {
    const sentence = refusal(error, region);
    if (sentence === undefined) throw error;
    fail(sentence);
  }
}

function fail(why: string): void {
  console.error(why);
  process.exitCode = 1;
}
