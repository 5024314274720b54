import { describe, expect, it } from 'vitest';
import { anyKnown, known } from '#lib/domain/schema.ts';

describe('what is known', () => {
  it('leaves out what is undefined, and nothing else', () => {
    const fields = { name: 'Ana', phone: undefined, text: '', count: 0, read: false, none: null };
    expect(known(fields)).toStrictEqual({ name: 'Ana', text: '', count: 0, read: false, none: null });
  });

  it('is nothing at all where no field has a value', () => {
    expect(anyKnown({ name: undefined })).toBeUndefined();
    expect(anyKnown({ name: undefined, email: 'a' })).toStrictEqual({ email: 'a' });
  });
});
