/** `npm run setup -- --stage prod`: makes what a deployed stack needs and CloudFormation cannot make. */
import { randomBytes } from 'node:crypto';
import { parseArgs } from 'node:util';
import { stageOnAws } from './aws.ts';
import { setUp } from './setup.ts';

const { values } = parseArgs({
  options: {
    stage: { type: 'string', default: 'dev' },
    // The same default as in serverless.yml.
    region: { type: 'string', default: process.env.AWS_REGION ?? 'eu-central-1' },
    rotate: { type: 'boolean', default: false },
    show: { type: 'boolean', default: false },
  },
});

const { stage, region, rotate, show } = values;
const { done, lines } = await setUp(stageOnAws(`hookline-${stage}`, `/hookline/${stage}/admin-key`, region), {
  flags: `--stage ${stage} --region ${region}`,
  makeKey: () => randomBytes(24).toString('base64url'),
  rotate,
  show,
});
for (const line of lines) console.log(line);
if (!done) process.exitCode = 1;
