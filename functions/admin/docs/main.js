/** Everything on this page is made of the document; nothing is known beforehand. */
const api = await (await fetch('openapi.json')).json();
const byId = (id) => document.getElementById(id);

/** An element with attributes and children; texts become text, never markup. */
function element(name, attributes, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

/** Descriptions write names in backticks. */
const prose = (text = '') => text.split('`').map((part, i) => (i % 2 === 1 ? element('code', {}, part) : part));

const operations = Object.entries(api.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ path, method: method.toUpperCase(), ...operation })),
);

function section(title, ...children) {
  const id = title.toLowerCase();
  byId('contents').append(element('a', { href: `#${id}` }, title), ' ');
  byId('operations').append(element('section', {}, element('h2', { id }, title), ...children));
}

byId('version').textContent = `${api.info.description} Version ${api.info.version}.`;
for (const { name } of api.tags)
  section(name, ...operations.filter(({ tags }) => tags.includes(name)).map(operationOf));
section(
  'Shapes',
  ...Object.entries(api.components.schemas).flatMap(([name, schema]) => [
    element('h3', { id: `shape-${name}` }, name),
    element('pre', {}, ...shapeOf(schema)),
  ]),
);

function operationOf(operation) {
  const { operationId: id, method, path, summary } = operation;
  const call = [element('code', { class: method.toLowerCase() }, method), ' ', element('code', {}, path)];
  const block = element('details', { id }, element('summary', {}, ...call, ' ', ...prose(summary)));
  // There are many operations; a reader opens few.
  block.addEventListener('toggle', () => block.append(formOf(operation)), { once: true });
  return block;
}

/** What an operation takes, to fill in and send; what it answers stands below. */
function formOf(operation) {
  const { method, description, parameters = [], requestBody, responses } = operation;
  const form = element('form', { autocomplete: 'off' }, element('p', {}, ...prose(description)));
  // The workspace stands at the head of the page.
  const fields = parameters.filter(({ name }) => name !== 'X-Workspace').map(fieldOf);
  form.append(element('div', { class: 'fields' }, ...fields));
  if (requestBody) {
    const { example, schema } = requestBody.content['application/json'];
    const body = element('textarea', { name: 'body', spellcheck: 'false' }, JSON.stringify(example, null, 2));
    form.append(
      element('label', {}, ...prose(requestBody.description ?? 'Body'), body),
      element('pre', {}, ...shapeOf(schema)),
    );
  }
  const output = element('pre', { 'aria-live': 'polite', tabindex: '0', hidden: '' });
  form.append(element('button', { type: 'submit' }, `Send ${method}`), output);
  for (const [status, { description: said, content }] of Object.entries(responses)) {
    const schema = content?.['application/json']?.schema;
    form.append(
      element('p', {}, element('code', {}, status), ' ', ...prose(said), ' ', ...(schema ? shapeOf(schema) : [])),
    );
  }
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    output.hidden = false;
    output.textContent = 'Waiting …';
    output.textContent = await answerTo(operation, new FormData(form)).catch(String);
  });
  return form;
}

function fieldOf({ name, required, description, schema }) {
  const attributes = { name, ...(required && { required: '' }) };
  const options = schema.enum && ['', ...schema.enum].map((value) => element('option', {}, value));
  const field = options
    ? element('select', attributes, ...options)
    : element('input', { type: 'text', spellcheck: 'false', ...attributes });
  return element(
    'label',
    {},
    element('span', {}, element('code', {}, name), required ? ' required. ' : ' ', ...prose(description)),
    field,
  );
}

/** A schema as one reads it; the names of others lead to where they stand. */
function shapeOf(schema, indent = '') {
  const name = schema.$ref?.split('/').pop();
  if (name) return [element('a', { href: `#shape-${name}` }, name)];
  const choices = schema.oneOf ?? schema.anyOf;
  if (choices) return choices.flatMap((one, i) => [i > 0 ? ' | ' : '', ...shapeOf(one, indent)]);
  if (schema.const !== undefined) return [JSON.stringify(schema.const)];
  if (schema.enum) return [schema.enum.map((value) => JSON.stringify(value)).join(' | ')];
  if (schema.type === 'array') return ['[', ...shapeOf(schema.items ?? {}, indent), ', …]'];
  if (!schema.properties) return [schema.type ?? 'anything'];
  const deeper = `${indent}  `;
  const lines = Object.entries(schema.properties).flatMap(([key, one]) => [
    ...(one.description ? [element('span', { class: 'faint' }, `${deeper}// ${one.description}\n`)] : []),
    `${deeper}${key}${schema.required?.includes(key) ? '' : '?'}: `,
    ...shapeOf(one, deeper),
    '\n',
  ]);
  return ['{\n', ...lines, `${indent}}`];
}

async function answerTo({ method, path, requestBody, security, parameters = [] }, values) {
  const given = (place) =>
    parameters.filter((one) => one.in === place && values.get(one.name)).map(({ name }) => [name, values.get(name)]);
  const filled = path.replace(/\{(\w+)\}/g, (_match, name) => encodeURIComponent(values.get(name)));
  const query = new URLSearchParams(given('query'));
  const isPublic = security?.length === 0;
  const [key, workspace] = ['key', 'workspace'].map((id) => !isPublic && byId(id).value.trim());
  const response = await fetch(`.${filled}${query.size > 0 ? `?${query}` : ''}`, {
    method,
    headers: {
      ...Object.fromEntries(given('header')),
      ...(requestBody && { 'content-type': 'application/json' }),
      ...(key && { authorization: `Bearer ${key}` }),
      ...(workspace && { 'x-workspace': workspace }),
    },
    // Who is signed in to the console may look; what changes something takes a key, whoever wrote the link to it.
    credentials: key || method !== 'GET' ? 'omit' : 'same-origin',
    ...(requestBody && { body: values.get('body') }),
  });
  const text = await response.text();
  try {
    return `${response.status}\n${JSON.stringify(JSON.parse(text), null, 2)}`;
  } catch {
    return `${response.status}\n${text}`; // A file, or nothing.
  }
}

/** The console links to a call with what it was called with: `#call=GET /api/chats/{id}&id=chat_1`. Nothing is sent. */
function openNamed(named) {
  const found = operations.find(({ method, path }) => `${method} ${path}` === named.get('call'));
  if (!found) return;
  const block = byId(found.operationId);
  const fill = () => {
    for (const field of block.querySelectorAll('input, select')) field.value = named.get(field.name) ?? '';
    block.scrollIntoView();
  };
  byId('workspace').value = named.get('workspace') ?? '';
  block.addEventListener('toggle', fill, { once: true });
  block.open = true;
}
const named = new URLSearchParams(location.hash.slice(1));
openNamed(named);
// To the page of the console that led here, and nowhere else.
if (named.get('back')?.startsWith('#/')) byId('back').hash = named.get('back');
