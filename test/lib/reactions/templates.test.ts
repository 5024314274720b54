import { describe, expect, it, vi } from 'vitest';
import { budgetOf, render, renderJson, scopeOf, templateFault } from '#lib/reactions/untrusted.ts';
import { messageEvent } from '#test/lib/domain/reaction/events.ts';

const scope = scopeOf({ event: messageEvent() }, Date.parse('2026-03-01T12:00:00Z'), 'Europe/Berlin');
const budget = budgetOf({ matches: () => false, cpu: () => 0 }, 1000);
const text = (template: string) => {
  const rendered = render(template, scope);
  return rendered.kind === 'rendered' ? rendered.text : `failed: ${rendered.reason}`;
};

describe('a template', () => {
  it.each([
    ["Hi {{ sender.name | default: 'there' }}, our list", 'Hi Ana, our list'],
    ["Hi {{ sender.nickname | default: 'there' }}", 'Hi there'],
    ['{{ text | upcase | truncate: 10 }}', 'WHAT IS...'],
    ['{{ event.message.content.text }}', 'What is the price?'],
    ['{{ now.time }} {{ now.weekday }} {{ chat.kind }} {{ type }}', '13:00 sun individual message.received'],
    ['{% if chat.kind == "group" %}all{% else %}you{% endif %}', 'you'],
  ])('%s', (template, expected) => expect(text(template)).toBe(expected));

  it('reaches nothing but the event', () => {
    expect(text('{{ event.constructor.name }}{{ sender.toString }}{{ __proto__ }}')).toBe('');
    expect(text('{% include "/etc/passwd" %}')).toMatch(/^failed: /);
    expect(text('{% render "x" %}')).toMatch(/^failed: /);
  });

  it('names months in English, whatever the machine speaks, which is not asked', async () => {
    const format = vi.spyOn(Intl, 'DateTimeFormat');
    vi.resetModules();
    const fresh = await import('#lib/reactions/untrusted.ts');
    expect(format).not.toHaveBeenCalled();
    expect(fresh.render("{{ '2026-03-01' | date: '%B' }}", scope)).toEqual({ kind: 'rendered', text: 'March' });
    format.mockRestore();
  });

  it('has a bound on time and memory', () => {
    const begun = performance.now();
    expect(text('{% for i in (1..100000000) %}{% for j in (1..1000) %}x{% endfor %}{% endfor %}')).toMatch(/^failed: /);
    expect(text('{% assign a = "x" %}{% for i in (1..40) %}{% assign a = a | append: a %}{% endfor %}{{ a }}')).toMatch(
      /^failed: /,
    );
    expect(performance.now() - begun).toBeLessThan(2000);
  });

  it('is rendered once more where the machine was busy with something else meanwhile', () => {
    let [now, looks] = [0, 0];
    const spy = vi.spyOn(performance, 'now').mockImplementation(() => {
      looks += 1;
      // Between the first look at the clock and the second one.
      now += looks === 2 ? 60 : 0;
      return now;
    });
    const said = text('{{ sender.name }}');
    spy.mockRestore();
    expect([said, looks > 2]).toEqual(['Ana', true]);
  });

  it('is told to be none where it is none, without what it holds behind the first line', () => {
    expect(templateFault('{{ text | nofilter }}')).toMatch(/^is no template: undefined filter: nofilter/);
    expect(templateFault('{% if %}')).toMatch(/^is no template: /);
    for (const tag of ["include 'a'", "render 'a'", "layout 'a'", 'block a'])
      expect(templateFault(`{% ${tag} %}`)).toMatch(/a template includes no other/);
    expect(templateFault('{{ sender.name }')).toMatch(/^is no template: /);
    expect(templateFault('plain')).toBeUndefined();
  });

  it('is rendered in each string of a JSON value, which it cannot leave', () => {
    const event = messageEvent({ content: { type: 'text', text: '", "admin": true, "x": "' } });
    const value = renderJson(
      { said: '{{ text }}', list: ['{{ sender.name }}', 7, null] },
      scopeOf({ event }, 0, 'UTC'),
      budget,
    );
    expect(value).toEqual({ said: '", "admin": true, "x": "', list: ['Ana', 7, null] });
  });
});
