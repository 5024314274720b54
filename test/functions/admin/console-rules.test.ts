import fc from 'fast-check';
import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { grouped, groupOf, OPERATORS } from '#functions/admin/console/rules/draft.ts';
import { ruleTexts } from '#functions/admin/console/rules/texts.ts';
import { SHORT_FIELDS } from '#lib/domain/reaction/condition.ts';
import { NOTICE_TYPES } from '#lib/domain/reaction/notice.ts';
import { NewRule } from '#lib/domain/reaction/rule.ts';
import { anyCondition, anyRule } from '#test/support/any-rule.ts';

describe('the words of the form', () => {
  it('name every type of notice, every short field and every operator, and nothing else', () => {
    expect(Object.keys(ruleTexts.types).sort()).toEqual(Object.keys(NOTICE_TYPES).sort());
    expect(Object.keys(ruleTexts.fields).sort()).toEqual([...SHORT_FIELDS].sort());
    expect(Object.keys(ruleTexts.operators).sort()).toEqual([...OPERATORS].sort());
  });
});

it('a list of conditions keeps them under either head', () => {
  fc.assert(
    fc.property(anyCondition, fc.constantFrom('all' as const, 'any' as const), (one, kind) => {
      const leaves = (shown: unknown): number => JSON.stringify(shown).split('"field"').length;
      const group = groupOf(one);
      expect(grouped(group)).toEqual(one);
      expect(leaves(grouped({ ...group, kind }))).toBe(leaves(one));
    }),
  );
});

it('the rules that the form is tested with are rules', () => {
  fc.assert(
    fc.property(anyRule, (rule) => {
      expect(v.safeParse(NewRule, rule).issues).toBeUndefined();
    }),
  );
});
