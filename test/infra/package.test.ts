import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const copies = mkdtempSync(join(tmpdir(), 'hookline-package-'));

type Resource = { Type: string; Properties: Record<string, never> };
let resources: Record<string, Resource>;

beforeAll(async () => {
  await Promise.all([packageCopy('first'), packageCopy('second')]);
  const path = join(copies, 'first', '.serverless', 'cloudformation-template-update-stack.json');
  resources = JSON.parse(readFileSync(path, 'utf8')).Resources;
}, 60_000);

afterAll(() => rmSync(copies, { recursive: true }));

/** Packages a copy with bundles of one line, so that only the packaging is looked at. */
async function packageCopy(name: string): Promise<void> {
  const copy = join(copies, name);
  for (const part of ['serverless.yml', 'infra', 'functions', 'package.json']) {
    cpSync(join(root, part), join(copy, part), { recursive: true });
  }
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
  for (const file of globSync('functions/*/function.yml', { cwd: copy })) {
    const dist = join(copy, 'dist', file.split('/')[1] ?? '');
    mkdirSync(dist, { recursive: true });
    writeFileSync(join(dist, 'index.mjs'), 'export const handler = 1;');
    writeFileSync(join(dist, 'build.json'), '{}');
  }
  const osls = join(root, 'node_modules', '.bin', 'osls');
  const child = spawn(osls, ['package'], { cwd: copy, env: { PATH: process.env.PATH ?? '' } });
  let said = '';
  const listen = (text: string) => {
    said += text;
  };
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', listen);
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error(said);
}

const zipsOf = (name: string) =>
  globSync(join(copies, name, '.serverless', '*.zip'))
    .sort()
    .map((path) => ({ name: basename(path), bytes: readFileSync(path) }));

const ofType = (type: string) => Object.values(resources).filter(({ Type }) => Type === type);
const statements = () =>
  ofType('AWS::IAM::Role').flatMap(({ Properties }) => {
    const { Policies } = JSON.parse(JSON.stringify(Properties));
    return Policies.flatMap((policy: { PolicyDocument: { Statement: unknown } }) => policy.PolicyDocument.Statement);
  });

test('packages the same bytes again', () => {
  expect(zipsOf('first').length).toBeGreaterThan(6);
  expect(zipsOf('second')).toEqual(zipsOf('first'));
});

test('puts nothing but the bundle into a zip', () => {
  const names = zipsOf('first').map(({ name, bytes }) => [name, entriesOf(bytes)]);
  for (const [name, entries] of names) expect(entries).toEqual([`dist/${name}`.replace('.zip', '/index.mjs')]);
});

/** The names in a zip's central directory, whose records start with a signature of their own. */
function entriesOf(zip: Buffer): string[] {
  const names: string[] = [];
  const signature = Buffer.from('PK\x01\x02', 'latin1');
  for (let at = zip.indexOf(signature); at >= 0; at = zip.indexOf(signature, at + 1)) {
    names.push(zip.toString('utf8', at + 46, at + 46 + zip.readUInt16LE(at + 28)));
  }
  return names;
}

test('gives every function a role of its own', () => {
  const functions = ofType('AWS::Lambda::Function').map(({ Properties }) => JSON.stringify(Properties.Role));
  expect(functions.length).toBeGreaterThan(6);
  expect(new Set(functions).size).toBe(functions.length);
});

test('names every action and every resource that a role may use', () => {
  expect(statements().length).toBeGreaterThan(20);
  for (const { Action, Resource } of statements()) {
    for (const action of [Action].flat()) expect(action).toMatch(/^\w+:\w+$/);
    expect([Resource].flat()).not.toContain('*');
    expect([Action].flat()).not.toContain('dynamodb:Scan');
  }
});

test('lets the sender feed its own queue', () => {
  const functions = JSON.parse(JSON.stringify(ofType('AWS::Lambda::Function')));
  const loops = functions.filter(({ Properties }: Resource) => JSON.stringify(Properties.RecursiveLoop) === '"Allow"');
  expect(loops.map(({ Properties }: Resource) => Properties.Handler)).toEqual(['dist/sender/index.handler']);
});

test('lets nobody but the sender take ticks, and only who calls providers know credentials', () => {
  const rolesWith = (action: string, resource: string) =>
    ofType('AWS::IAM::Role').flatMap(({ Properties }) => {
      const { RoleName, Policies } = JSON.parse(JSON.stringify(Properties));
      const [{ PolicyDocument }] = Policies;
      const may = PolicyDocument.Statement.some(
        (statement: { Action: unknown; Resource: unknown }) =>
          [statement.Action].flat().includes(action) && JSON.stringify(statement.Resource).includes(resource),
      );
      return may ? [RoleName.split('-').pop()] : [];
    });
  expect(rolesWith('sqs:ReceiveMessage', 'TicksQueue')).toEqual(['sender']);
  expect(rolesWith('ssm:GetParameter', '/accounts/')).toEqual(['sender', 'watchdog']);
});

test('logs the route of a request, never its path', () => {
  const [stage] = ofType('AWS::ApiGatewayV2::Stage');
  const format = JSON.stringify(stage?.Properties.AccessLogSettings);
  expect(format).toContain('$context.routeKey');
  expect(format).not.toMatch(/context\.(path|http\.path|rawPath)/);
});

test('never lets a deployed function reach private hosts', () => {
  expect(JSON.stringify(resources)).not.toContain('HOOKLINE_ALLOW_PRIVATE_HOSTS');
});

test('leaves a message on its queue for six times as long as its reader may take', () => {
  for (const { Properties } of ofType('AWS::Lambda::EventSourceMapping')) {
    const { EventSourceArn, FunctionName, FunctionResponseTypes } = JSON.parse(JSON.stringify(Properties));
    const queue = resources[EventSourceArn['Fn::GetAtt'][0]];
    const reader = resources[FunctionName['Fn::GetAtt'][0]];
    expect(Number(queue?.Properties.VisibilityTimeout)).toBeGreaterThanOrEqual(6 * Number(reader?.Properties.Timeout));
    expect(FunctionResponseTypes).toEqual(['ReportBatchItemFailures']);
  }
});
