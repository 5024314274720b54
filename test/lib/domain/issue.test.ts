import * as v from 'valibot';
import { expect, test } from 'vitest';
import { issuesOf } from '#lib/domain/issue.ts';

test('names the first hundred issues of a long list of wrong entries', () => {
  const { issues = [] } = v.safeParse(v.array(v.object({})), Array(100_000).fill(0));
  expect(issuesOf(issues)).toHaveLength(100);
  expect(issuesOf(issues)[0]).toEqual({ path: '0', message: 'must be Object' });
});
