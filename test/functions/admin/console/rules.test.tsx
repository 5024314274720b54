// @vitest-environment happy-dom
import { cleanup, fireEvent, render, screen } from '@testing-library/preact';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { RECIPES, ruleOf } from '#lib/reactions/recipes.ts';
import { anyRule } from '#test/support/any-rule.ts';
import { session } from '../../../../functions/admin/console/api.ts';
import { Editor } from '../../../../functions/admin/console/rules/form.tsx';

const saved: unknown[] = [];
const save = async (rule: unknown) => saved.push(rule);
beforeEach(() => {
  session.value = { workspace: 'main', admin: false, scope: 'all' };
  // Names of accounts and endpoints: the form works without them.
  vi.stubGlobal('fetch', async () => Response.json({ items: [] }));
  saved.splice(0);
});
afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

/** By its text: to look for roles in a large form takes long. */
function click(name: string): void {
  const button = [...document.querySelectorAll('button')].find(({ textContent }) => textContent === name);
  if (!button) throw new Error(`there is no button ${name}`);
  fireEvent.click(button);
}
const jsonBox = () => screen.getByLabelText<HTMLTextAreaElement>(/^JSON/, { selector: 'textarea' });

/** The rule as it stands, by way of JSON and back to the form. */
function written(): unknown {
  click('JSON');
  const rule: unknown = JSON.parse(jsonBox().value);
  click('Form');
  return rule;
}

/** Types into every field what stands there already, as a browser does that fills in forms. */
function retype(): void {
  for (const field of document.querySelectorAll<HTMLInputElement>('input:not([type=checkbox]), textarea, select')) {
    fireEvent.input(field, { target: { value: field.value } });
    fireEvent.change(field, { target: { value: field.value } });
  }
}

/** Values that a careless control would change. */
const AWKWARD = {
  name: 'A' as const,
  on: ['*'],
  when: {
    all: [
      { field: 'text', words: ['a\nb', 'c'] },
      { field: 'text', in: ['', ' x '] },
      { field: 'text', notIn: ['5', 5] },
      { field: 'text', contains: 'a\r\nb' },
      { field: 'ussd.sim', is: '5' },
      { field: 'ussd.sim', isNot: 5 },
      { field: 'ussd.sim', is: 'true' },
      { field: 'text', is: false, caseSensitive: false },
      { field: 'message.content.file.size', atMost: 1e21 },
      { field: 'now.weekday', in: ['sun', 'someday'] },
    ],
  },
  do: [{ action: 'call' as const, url: 'https://example.com/x', json: null }],
};

describe('the form of a rule', () => {
  it('says what its JSON says, also when it is switched to and fro and typed over', () => {
    fc.assert(
      fc.property(anyRule, (one) => {
        cleanup();
        render(<Editor begun={one} onSave={save} />);
        expect(written()).toEqual(one);
        retype();
        expect(written()).toEqual(one);
      }),
      { numRuns: 15, examples: [[AWKWARD]] },
    );
  }, 60_000);

  it('loses nothing of what it has no fields for', () => {
    const odd = {
      name: 'A',
      when: {
        all: [{ field: 'text', is: 'a', contains: 'b' }, { any: 'x' }, { not: { field: 'kind', in: [1, 'a'] } }, 7],
      },
      do: [{ action: 'reply', text: 5 }, { action: 'dance' }, 'x', { action: 'call', url: 'u', json: 1, text: 'b' }],
    };
    render(<Editor begun={odd} onSave={save} />);
    expect(written()).toEqual(odd);
    retype();
    expect(written()).toEqual(odd);
  });

  it.each([
    { later: { a: [1] } },
    { order: '7' },
    { on: 'message.*' },
    { accounts: [''] },
    { guard: { perContact: { max: 1 } } },
  ])('stays JSON, and names the field, where it has none for %o', (odd) => {
    render(<Editor begun={{ name: 'A', ...odd }} onSave={save} />);
    expect(JSON.parse(jsonBox().value)).toEqual({ name: 'A', ...odd });
    click('Form');
    expect(screen.getByRole('alert').textContent).toContain(`no field for this: ${Object.keys(odd)[0]}`);
    expect(JSON.parse(jsonBox().value)).toEqual({ name: 'A', ...odd });
  });

  it.each(RECIPES)('shows the recipe $id with a field for each of its empty places', ({ rule: begun, fill }) => {
    render(<Editor begun={begun} places={fill} onSave={save} />);
    expect(written()).toEqual(begun);
    expect(screen.queryAllByLabelText(/as JSON/i)).toEqual([]);
    const empty = fill.filter(({ optional }) => !optional);
    expect(document.querySelectorAll('.place').length).toBeGreaterThanOrEqual(empty.length);
  });

  it('takes what is filled in', async () => {
    const recipe = RECIPES.find(({ id }) => id === 'auto-reply');
    if (!recipe) throw new Error('there is no such recipe');
    render(<Editor begun={recipe.rule} places={recipe.fill} onSave={save} />);
    fireEvent.input(screen.getByRole('textbox', { name: 'The words to look for' }), {
      target: { value: 'price\npreis\nprecio\n' },
    });
    const [, answer] = recipe.fill;
    fireEvent.input(screen.getByRole('textbox', { name: /^The answer/ }), { target: { value: answer?.example } });
    fireEvent.click(screen.getByRole('checkbox', { name: 'Switched on' }));
    click('Save');
    await vi.waitFor(() => expect(saved).toEqual([{ ...ruleOf(recipe), enabled: true }]));
  });

  it('asks whether an answer quotes', () => {
    render(<Editor begun={{ name: 'A', on: ['*'], do: [{ action: 'reply', text: 'a' }] }} onSave={save} />);
    const box = () => screen.getByRole('checkbox', { name: /^Quote the message/ });
    fireEvent.click(box());
    expect(written()).toMatchObject({ do: [{ action: 'reply', text: 'a', quote: true }] });
    fireEvent.click(box());
    expect(written()).toMatchObject({ do: [{ action: 'reply', text: 'a' }] });
  });

  it('builds conditions from nothing, and takes them away again', () => {
    render(<Editor begun={{ name: 'A', on: ['*'], do: [{ action: 'reply', text: 'a' }] }} onSave={save} />);
    click('Add a condition');
    expect(written()).toMatchObject({ when: { field: 'text', words: [] } });
    fireEvent.change(screen.getByRole('combobox', { name: 'Field' }), { target: { value: 'hasFile' } });
    expect(written()).toMatchObject({ when: { field: 'hasFile', is: true } });
    fireEvent.change(screen.getByRole('combobox', { name: 'Field' }), { target: { value: 'now.time' } });
    fireEvent.input(screen.getByLabelText('From'), { target: { value: '09:00' } });
    expect(written()).toMatchObject({ when: { field: 'now.time', between: ['09:00', ''] } });
    click('Add a condition');
    expect(written()).toMatchObject({ when: { all: [{ field: 'now.time' }, { field: 'text' }] } });
    fireEvent.change(screen.getByRole('combobox', { name: 'How many must hold' }), { target: { value: 'any' } });
    const [not] = screen.getAllByRole('checkbox', { name: 'not' });
    if (not) fireEvent.click(not);
    expect(written()).toMatchObject({ when: { any: [{ not: { field: 'now.time' } }, { field: 'text' }] } });
    for (const _each of [1, 2]) {
      const [first] = screen.getAllByRole('button', { name: 'Remove this condition' });
      if (first) fireEvent.click(first);
    }
    expect(document.activeElement?.querySelector('h2')?.textContent).toBe('If');
    expect(written()).not.toHaveProperty('when');
  });

  it('keeps what is no JSON on the page, says so, and saves it not', async () => {
    render(<Editor begun={{ name: 'A' }} onSave={save} />);
    click('JSON');
    fireEvent.input(jsonBox(), { target: { value: '{"name": ' } });
    click('Form');
    expect(screen.getByRole('alert').textContent).toContain('This is no JSON');
    expect(jsonBox().value).toBe('{"name": ');
    click('Save');
    await vi.waitFor(() => expect(screen.getAllByRole('alert').length).toBe(2));
    expect(saved).toEqual([]);
  });
});
