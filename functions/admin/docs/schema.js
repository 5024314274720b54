/** An element with attributes and children; texts become text, never markup. */
export function element(name, attributes, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

/** Descriptions write names in backticks. */
export function prose(text) {
  return text.split('`').map((part, i) => (i % 2 === 1 ? element('code', {}, part) : part));
}

/** A path that breaks where its parts meet, and nowhere else. */
export function pathOf(path) {
  const parts = path.split(/(?=\/)/);
  return element('code', { class: 'path' }, ...parts.flatMap((part) => [element('wbr', {}), part]));
}

/** The properties of a schema as a list; what is named elsewhere opens on demand, for schemas hold each other. */
export function schemaList(schema, api) {
  const { schema: known } = resolve(schema, api);
  const choices = known.oneOf ?? known.anyOf;
  if (choices) return list(choices.map((choice) => node(titleOf(choice, api), choice, api)));
  if (known.type === 'array') return list([node('each', known.items, api)]);
  const required = new Set(known.required);
  const properties = Object.entries(known.properties ?? {});
  return list(properties.map(([name, property]) => node(name, property, api, !required.has(name))));
}

function list(items) {
  return element('ul', { class: 'schema' }, ...items.map((item) => element('li', {}, item)));
}

function node(name, schema, api, isOptional = false) {
  const { schema: known, reference } = resolve(schema, api);
  const label = element('span', {}, element('code', {}, name), ` ${typeOf(known, reference)}`);
  const notes = [isOptional ? 'may be left out' : '', schema.description ?? known.description ?? ''].filter(Boolean);
  if (notes.length > 0) label.append(' ', element('span', { class: 'faint' }, ...prose(notes.join('. '))));
  const hasParts = known.properties || known.oneOf || known.anyOf || known.items?.$ref || known.items?.properties;
  if (!hasParts) return label;
  const block = element('details', {}, element('summary', {}, label));
  block.addEventListener('toggle', () => block.append(schemaList(schema, api)), { once: true });
  return block;
}

function typeOf(schema, reference) {
  if (reference) return reference;
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(' | ');
  if (schema.type === 'array')
    return `list of ${schema.items?.$ref?.split('/').pop() ?? schema.items?.type ?? 'values'}`;
  return schema.type ?? (schema.oneOf || schema.anyOf ? 'one of' : '');
}

/** A choice is known by the values that only it has. */
function titleOf(schema, api) {
  const { schema: known, reference } = resolve(schema, api);
  const fixed = Object.values(known.properties ?? {}).flatMap((property) => property.const ?? []);
  return fixed.join(' ') || reference || known.type || 'one of';
}

function resolve(schema, api) {
  const reference = schema.$ref?.split('/').pop();
  return reference ? { reference, schema: api.components.schemas[reference] } : { schema };
}

/** The least that a schema asks for, to begin with. */
export function exampleOf(schema, api) {
  const { schema: known } = resolve(schema, api);
  const choice = (known.oneOf ?? known.anyOf)?.[0];
  if (choice) return exampleOf(choice, api);
  if (known.const !== undefined) return known.const;
  if (known.enum) return known.enum[0];
  if (known.type === 'array') return [];
  if (known.type !== 'object') return { string: '', boolean: true }[known.type] ?? known.minimum ?? 0;
  return Object.fromEntries((known.required ?? []).map((name) => [name, exampleOf(known.properties[name], api)]));
}
