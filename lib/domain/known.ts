/** `Fields` with nothing undefined in it: a key that may lack a value may be absent instead. */
export type Known<Fields> = {
  [Key in keyof Fields as undefined extends Fields[Key] ? never : Key]: Fields[Key];
} & {
  [Key in keyof Fields as undefined extends Fields[Key] ? Key : never]?: Exclude<Fields[Key], undefined>;
};

/** Only the fields that have a value, for a shape in which what is not known is left out. */
export function known<Fields extends object>(fields: Fields): Known<Fields>;
export function known(fields: object): object {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

/** The same, and undefined where none of the fields has a value. */
export function anyKnown<Fields extends object>(fields: Fields): Known<Fields> | undefined {
  const found = known(fields);
  return Object.keys(found).length > 0 ? found : undefined;
}
