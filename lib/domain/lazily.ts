/** Makes it when it is first asked for, and never again unless that failed. */
export function lazily<Made>(make: () => Made): () => Made {
  let made: { readonly value: Made } | undefined;
  return () => {
    if (made) return made.value;
    const value = make();
    made = { value };
    const forget = () => {
      made = undefined;
    };
    if (value instanceof Promise) value.catch(forget);
    return value;
  };
}
