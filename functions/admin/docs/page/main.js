import { sendRequest } from './request.js';
import { element, exampleOf, prose, schemaList } from './schema.js';

/** Everything on this page is made of the document; nothing is known beforehand. */
const api = await (await fetch('openapi.json')).json();

document.getElementById('version').textContent = `${api.info.description} Version ${api.info.version}.`;
const operations = Object.entries(api.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ path, method, ...operation })),
);
for (const { name } of api.tags) {
  const id = `tag-${name.toLowerCase()}`;
  document.getElementById('contents').append(element('a', { href: `#${id}` }, name));
  const section = element('section', { 'aria-labelledby': id }, element('h2', { id }, name));
  section.append(...operations.filter(({ tags }) => tags.includes(name)).map(operationBlock));
  document.getElementById('operations').append(section);
}

function operationBlock(operation) {
  const { method, path, summary } = operation;
  const block = element(
    'details',
    { class: 'operation', id: operation.operationId },
    element(
      'summary',
      {},
      element('span', { class: `method ${method}` }, method.toUpperCase()),
      element('code', {}, path),
      element('span', { class: 'faint' }, ...prose(summary)),
    ),
  );
  // There are many operations with large schemas; a reader opens few.
  block.addEventListener('toggle', () => block.append(operationForm(operation)), { once: true });
  return block;
}

function operationForm(operation) {
  const { description, requestBody, parameters = [] } = operation;
  const form = element('form', { autocomplete: 'off' });
  if (description) form.append(element('p', { class: 'hint' }, ...prose(description)));
  const shown = parameters.filter((parameter) => parameter.in !== 'header');
  if (shown.length > 0) form.append(element('h3', {}, 'Parameters'), fields(operation, shown));
  if (requestBody) form.append(...bodyFields(operation));
  form.append(element('h3', {}, 'Answers'), ...Object.entries(operation.responses).map(answerBlock));
  const output = element('div', { 'aria-live': 'polite' });
  form.append(element('button', { type: 'submit' }, `Send ${operation.method.toUpperCase()}`), output);
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    await submit(operation, form, output);
  });
  return form;
}

function fields({ operationId }, parameters) {
  return element(
    'div',
    { class: 'fields' },
    ...parameters.map(({ name, required, description = '', schema }) => {
      const id = `${operationId}-${name}`;
      const label = element('code', {}, name);
      const hint = element('span', {}, ` ${required ? '(required) ' : ''}`, ...prose(description));
      return element('label', { for: id }, label, hint, field({ id, name, ...(required && { required: '' }) }, schema));
    }),
  );
}

function field(attributes, schema) {
  if (!schema.enum) return element('input', { type: 'text', ...attributes });
  return element('select', attributes, ...['', ...schema.enum].map((value) => element('option', {}, value)));
}

function bodyFields({ operationId, requestBody }) {
  const { schema } = Object.values(requestBody.content)[0];
  const id = `${operationId}-body`;
  const text = element('textarea', { id, name: 'body', spellcheck: 'false' });
  const heading = [element('h3', {}, 'Body'), element('label', { for: id }, requestBody.description ?? 'JSON', text)];
  if (!schema) return heading;
  text.value = JSON.stringify(exampleOf(schema, api), null, 2);
  return [...heading, element('details', {}, element('summary', {}, 'What it may hold'), schemaList(schema, api))];
}

function answerBlock([status, { description, content }]) {
  const schema = content?.['application/json']?.schema;
  const title = prose(`${status} ${description}`);
  if (!schema) return element('p', { class: 'faint' }, ...title);
  return element('details', {}, element('summary', { class: 'faint' }, ...title), schemaList(schema, api));
}

async function submit(operation, form, output) {
  output.replaceChildren(element('p', { class: 'faint' }, 'Waiting …'));
  const access = {
    key: document.getElementById('key').value,
    workspace: document.getElementById('workspace').value,
  };
  const { title, text } = await sendRequest(operation, new FormData(form), access);
  output.replaceChildren(element('h3', {}, title), element('pre', { tabindex: '0' }, text));
}
