import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import * as outbound from '#functions/outbound.ts';
import { providers as managed } from '#functions/providers.ts';
import { readService } from '#infra/local/service.ts';

const root = new URL('../../', import.meta.url);
const read = (path: string) => readFileSync(new URL(path, root), 'utf8');
const has = (path: string) => existsSync(new URL(path, root));

const folders = readdirSync(new URL('functions/', root), { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map((entry) => entry.name);
const providers = folders.filter((name) => has(`functions/${name}/provider.ts`));
const sending = providers.filter((name) => has(`functions/${name}/outbound.ts`));
describe('a function', () => {
  it.each(folders)('%s has what Lambda needs', (name) => {
    for (const file of ['handler.ts', 'function.yml']) expect(has(`functions/${name}/${file}`), file).toBe(true);
  });

  it('is deployed, and nothing else is', () => {
    expect(readService(fileURLToPath(new URL('serverless.yml', root))).functions.map(({ name }) => name)).toEqual(
      [...folders].sort(),
    );
  });
});

describe('a provider', () => {
  it('exists', () => expect(providers.length).toBeGreaterThan(0));

  it.each(providers)('%s has every file of a provider', (name) => {
    for (const file of ['account.ts', 'schema.ts', 'README.md'])
      expect(has(`functions/${name}/${file}`), file).toBe(true);
    expect(has(`test/functions/${name}/duties.test.ts`), 'the duties of every provider').toBe(true);
  });

  it.each(sending)('%s proves the duties of sending', (name) => {
    const test = `test/functions/${name}/outbound.test.ts`;
    expect(has(test) && /^describeOutbound\(/m.test(read(test)), `${test} calls describeOutbound`).toBe(true);
  });

  it.each(providers)('%s says in its README what it is for, what comes, what goes and what is odd', (name) => {
    const headings = [...read(`functions/${name}/README.md`).matchAll(/^## (.+)$/gm)].map(([, heading]) => heading);
    const sections = ['What it is for', 'Its documentation', 'What it sends us', 'What we send it', 'Quirks'];
    expect(headings).toEqual(sections);
  });

  it('has its line in the registry, in order', () => {
    const listed = [...read('functions/registry.ts').matchAll(/from '\.\/([\w-]+)\/provider\.ts'/g)];
    expect(listed.map(([, provider]) => provider)).toEqual([...providers].sort());
  });

  it('has its line among those through which messages are sent, in order, if it has outbound.ts', () => {
    const listed = [...read('functions/outbound.ts').matchAll(/from '\.\/([\w-]+)\/outbound\.ts'/g)];
    expect(listed.map(([, provider]) => provider)).toEqual([...sending].sort());
  });

  it('goes by one name', () => {
    expect(managed.map(({ account }) => account.name)).toEqual([...providers].sort());
    for (const { account, receiving } of managed) {
      expect(receiving.name).toBe(account.name);
      expect(sending.includes(account.name), `${account.name} can send`).toBe(account.canSend);
    }
    expect(Object.values(outbound).map(({ name }) => name)).toEqual([...sending].sort());
  });

  it('stands in the table of the README', () => {
    const linked = read('README.md').matchAll(/\]\(functions\/([\w-]+)\/README\.md\)/g);
    expect([...linked].map(([, provider]) => provider).sort()).toEqual([...providers].sort());
  });
});

describe('lib', () => {
  const words = providers.flatMap((name) => [name, name.replaceAll('-', '')]);
  const files = readdirSync(new URL('lib/', root), { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('.ts'),
  );

  it('names no provider', () => {
    const naming = files.filter((file) => words.some((word) => read(`lib/${file}`).toLowerCase().includes(word)));
    expect(files.length).toBeGreaterThan(20);
    expect(naming).toEqual([]);
  });
});

describe('a document', () => {
  const documents = ['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', ...markdownIn('docs/'), ...readmes()];

  it.each(documents)('%s links only to files that exist', (document) => {
    const links = [...read(document).matchAll(/\]\((?!https?:|#)([^)#]+)[^)]*\)/g)].map(([, link]) => link ?? '');
    const missing = links.filter((link) => !existsSync(new URL(link, new URL(document, root))));
    expect(missing).toEqual([]);
  });

  function readmes(): string[] {
    return folders.map((name) => `functions/${name}/README.md`).filter(has);
  }

  function markdownIn(folder: string): string[] {
    const names = readdirSync(new URL(folder, root), { recursive: true, encoding: 'utf8' });
    return names.filter((name) => name.endsWith('.md')).map((name) => `${folder}${name}`);
  }
});
