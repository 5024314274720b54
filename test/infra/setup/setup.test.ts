import { expect, test } from 'vitest';
import { type SetupOptions, setUp } from '#infra/setup/setup.ts';

const KEY = 'the-key-that-was-made';
const asked: SetupOptions = {
  flags: '--stage prod --region eu-west-1',
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

test('prints the key only when it is asked for', async () => {
  const { lines } = await setUp(new FakeStage('https://hub.example', 'the-first'), { ...asked, show: true });
  expect(lines).toContain('the-first');
});

test('writes nothing where nothing is deployed', async () => {
  const stage = new FakeStage(undefined);
  const { done, lines } = await setUp(stage, asked);
  expect([done, stage.key]).toEqual([false, undefined]);
  expect(lines.join('\n')).toContain('npm run deploy -- --stage prod --region eu-west-1');
});
