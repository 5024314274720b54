import { expect, test } from 'vitest';
import { type SetupOptions, setUp } from '#infra/setup/setup.ts';

const KEY = 'the-key-that-was-made';
const asked: SetupOptions = {
  stage: 'prod',
  region: 'eu-west-1',
  makeKey: () => KEY,
  rotate: false,
  show: false,
};

class FakeStage {
  readonly deployedAt: string | undefined;
  key: string | undefined;

  constructor(deployedAt: string | undefined, key?: string) {
    this.deployedAt = deployedAt;
    this.key = key;
  }

  url = async () => this.deployedAt;
  readKey = async () => this.key;
  writeKey = async (key: string) => {
    this.key = key;
  };
}

test('makes the admin key, and shows it to nobody', async () => {
  const stage = new FakeStage('https://hub.example');
  const { done, lines } = await setUp(stage, asked);
  expect(stage.key).toBe(KEY);
  expect(done).toBe(true);
  expect(lines.join('\n')).not.toContain(KEY);
});

test('says what was done and what to do next, with the address of the hub', async () => {
  const { lines } = await setUp(new FakeStage('https://hub.example'), asked);
  expect(lines[0]).toBe('The admin key was made.');
  expect(lines.join('\n')).toContain('npm run setup -- --stage prod --region eu-west-1 --show');
  expect(lines.join('\n')).toContain('curl https://hub.example/api/webhooks');
});

test('leaves a key alone that is there', async () => {
  const stage = new FakeStage('https://hub.example', 'the-first');
  const { lines } = await setUp(stage, asked);
  expect(stage.key).toBe('the-first');
  expect(lines[0]).toBe('The admin key is there already.');
});

test('replaces the key when it is told to', async () => {
  const stage = new FakeStage('https://hub.example', 'the-first');
  const { lines } = await setUp(stage, { ...asked, rotate: true });
  expect(stage.key).toBe(KEY);
  expect(lines[0]).toContain('was replaced');
});

test('hands the key out only when it is asked for', async () => {
  const shown = await setUp(new FakeStage('https://hub.example', 'the-first'), { ...asked, show: true });
  expect(shown.key).toBe('the-first');
  expect(shown.lines.join('\n')).not.toContain('the-first');
  const hidden = await setUp(new FakeStage('https://hub.example', 'the-first'), asked);
  expect(hidden.key).toBeUndefined();
});

test('says how to get the key into a variable', async () => {
  const { lines } = await setUp(new FakeStage('https://hub.example'), asked);
  expect(lines).toContain('  export ADMIN_KEY=$(npm run --silent setup -- --stage prod --region eu-west-1 --show)');
});

test('writes nothing where nothing is deployed', async () => {
  const stage = new FakeStage(undefined);
  const { done } = await setUp(stage, asked);
  expect([done, stage.key]).toEqual([false, undefined]);
});

test('names the region where nothing is deployed before it says how to deploy there', async () => {
  const { lines } = await setUp(new FakeStage(undefined), asked);
  expect(lines[0]).toBe('Nothing is deployed as hookline-prod in eu-west-1.');
  expect(lines[1]).toContain('--region or AWS_REGION');
  expect(lines.at(-1)).toContain('npm run deploy -- --stage prod --region eu-west-1');
});
