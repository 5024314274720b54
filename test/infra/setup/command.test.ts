import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { listen } from '#infra/local/http/server.ts';

const KEY = 'the-key-that-is-there';
const stack = `<DescribeStacksResponse><DescribeStacksResult><Stacks><member><StackName>hookline-dev</StackName>
<CreationTime>2026-01-01T00:00:00Z</CreationTime><StackStatus>CREATE_COMPLETE</StackStatus>
<Outputs><member><OutputKey>Webhooks</OutputKey><OutputValue>https://hub.example</OutputValue></member></Outputs>
</member></Stacks></DescribeStacksResult></DescribeStacksResponse>`;

/** As much of AWS as the command asks for: a stack, and the key. */
const aws: Server = createServer((request, response) => {
  request.resume();
  if (request.headers['x-amz-target'] === 'AmazonSSM.GetParameter') {
    response.setHeader('content-type', 'application/x-amz-json-1.1').end(JSON.stringify({ Parameter: { Value: KEY } }));
  } else response.setHeader('content-type', 'text/xml').end(stack);
});
let endpoint: string;

beforeAll(async () => {
  endpoint = await listen(aws, 0);
});
afterAll(() => aws.close());

/** Runs the command as a shell would that knows nothing of AWS but what is given. */
async function setup(args: readonly string[], environment: Readonly<Record<string, string>> = {}) {
  const env = { PATH: process.env.PATH, HOME: '/nowhere', AWS_EC2_METADATA_DISABLED: 'true', ...environment };
  const child = spawn(process.execPath, ['infra/setup/main.ts', ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const [out, error, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  return { out, error, code };
}

const signedIn = () => ({ AWS_ACCESS_KEY_ID: 'a', AWS_SECRET_ACCESS_KEY: 'b', AWS_ENDPOINT_URL: endpoint });

test('tells its usage', async () => {
  const { out, error, code } = await setup(['--help']);
  expect([error, code]).toEqual(['', 0]);
  expect(out).toContain('npm run setup -- [--stage dev] [--region eu-central-1] [--rotate] [--show]');
});

test('tells its usage when it is asked for what there is not', async () => {
  const { out, error, code } = await setup(['--stagee', 'prod']);
  expect([out, code]).toEqual(['', 1]);
  expect(error).toMatch(/^Unknown option '--stagee'/);
  expect(error).toContain('npm run setup --');
  expect(error).not.toContain('    at ');
});

test('asks for signing in, in one sentence', async () => {
  const { out, error, code } = await setup(['--stage', 'prod']);
  expect([out, code]).toEqual(['', 1]);
  expect(error).toMatch(/^Sign in first: docs\/operations\.md, First deploy, step 2 \(.+\)\.\n$/);
});

test('prints the key alone on standard output', async () => {
  const { out, error, code } = await setup(['--show'], signedIn());
  expect([out, code]).toEqual([`${KEY}\n`, 0]);
  expect(error).toContain('The admin key is there already.');
  expect(error).toContain('https://hub.example/api/webhooks');
});

test('prints nothing on standard output when the key was not asked for', async () => {
  const { out, error } = await setup([], signedIn());
  expect(out).toBe('');
  expect(error).not.toContain(KEY);
});
