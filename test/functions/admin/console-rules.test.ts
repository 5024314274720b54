import fc from 'fast-check';
import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { OPERATORS, regrouped, shownOf } from '#functions/admin/console/rules/draft.ts';
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

it('a group keeps its conditions under every head', () => {
  fc.assert(
    fc.property(anyCondition, fc.array(fc.constantFrom('all', 'any', 'not'), { maxLength: 5 }), (one, heads) => {
      const leaves = (shown: unknown): number => JSON.stringify(shown).split('"field"').length;
      const after = heads.reduce<unknown>((at, head) => regrouped(at, head), one);
      expect(leaves(after)).toBe(leaves(one));
      if (heads.length > 0) expect(shownOf(after).kind).toBe(heads.at(-1));
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
