import * as v from 'valibot';
import { beforeAll, expect, it } from 'vitest';
import { RECIPES, ruleOf } from '#lib/reactions/recipes.ts';
import { AdminBench, itemsOf } from '#test/functions/admin/admin-bench.ts';

let hub: AdminBench;
beforeAll(() => {
  hub = new AdminBench();
});

const post = (body: unknown) => hub.call('POST', '/api/rules', { body });

it('is listed for whom only reads', async () => {
  const { key } = await hub.done('POST', '/api/workspaces/main/keys', { body: { name: 'Dashboard', scope: 'read' } });
  const listed = itemsOf(await hub.done('GET', '/api/rules/recipes', { key: String(key) }));
  expect(listed).toEqual(RECIPES);
});

it.each(RECIPES)('$id is a rule once it is filled in, switched off', async (recipe) => {
  const { status, json } = await post(ruleOf(recipe));
  expect(json).toMatchObject({ name: recipe.rule.name, enabled: false });
  expect(status).toBe(201);
});

it.each(
  RECIPES.flatMap((recipe) =>
    recipe.fill.flatMap(({ path, optional }) => (optional ? [] : [{ id: recipe.id, recipe, path }])),
  ),
)('$id is refused while $path is empty', async ({ recipe, path }) => {
  const filled = recipe.fill.map((one) => [one.path, one.path === path ? emptyOf(one.example) : one.example]);
  const { status, json } = await post(ruleOf(recipe, Object.fromEntries(filled)));
  expect(status).toBe(422);
  const paths = v.parse(v.array(v.object({ path: v.string(), message: v.string() })), json.issues);
  expect(paths.filter((issue) => !issue.path.startsWith(path))).toEqual([]);
});

it.each(RECIPES)('the empty places of $id are as empty as they are refused', ({ rule, fill }) => {
  for (const { path, example, optional } of fill) {
    const there = path.split('.').reduce<unknown>((at, key) => Object(at)[key], rule);
    expect([path, there]).toEqual([path, optional ? undefined : emptyOf(example)]);
  }
});

/** `['', '']` for two times of day, else the empty value of its kind. */
function emptyOf(example: unknown): unknown {
  if (!Array.isArray(example)) return '';
  return example.every((one) => /^\d\d:\d\d$/.test(one)) ? example.map(() => '') : [];
}

it('a place that may be left out takes what is given for it', () => {
  const recipe = RECIPES.find(({ id }) => id === 'facebook-to-message');
  if (!recipe) throw new Error('there is no such recipe');
  const actions = (given?: Record<string, unknown>) => JSON.stringify(ruleOf(recipe, given).do);
  expect(actions()).not.toContain('accountId');
  expect(actions({ 'do.0.accountId': 'acc_1' })).toContain('"accountId":"acc_1"');
});
