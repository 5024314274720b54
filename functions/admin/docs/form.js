import { answerOf } from './answer.js';
import { sendRequest } from './request.js';
import { element, exampleOf, prose, schemaList } from './schema.js';

/** What an operation takes, to fill in and send; what it answers stands below. */
export function operationForm(operation, api) {
  const { description, requestBody, parameters = [] } = operation;
  const form = element('form', { autocomplete: 'off' });
  if (description) form.append(element('p', { class: 'hint' }, ...prose(description)));
  // The workspace and the key stand at the head of the page.
  const shown = parameters.filter(({ name }) => name !== 'X-Workspace');
  if (shown.length > 0) form.append(element('h3', {}, 'Parameters'), fields(operation, shown));
  if (requestBody) form.append(...bodyFields(operation, api));
  const output = element('div', { 'aria-live': 'polite' });
  form.append(element('button', { type: 'submit' }, `Send ${operation.method.toUpperCase()}`), output);
  form.append(element('h3', {}, 'Answers'), ...answers(operation, api));
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    await submit(operation, form, output, api);
  });
  form.addEventListener('input', ({ target }) => spread(operation, form, target));
  return form;
}

function fields({ operationId }, parameters) {
  return element(
    'div',
    { class: 'fields' },
    ...parameters.map(({ name, required, description = '', schema }) => {
      const id = `${operationId}-${name}`;
      const hint = [required ? 'required' : '', description].filter(Boolean).join('. ');
      const label = element('span', { class: 'label' }, element('code', {}, name), ' ', ...prose(hint));
      return element('label', { for: id }, label, field({ id, name, ...(required && { required: '' }) }, schema));
    }),
  );
}

function field(attributes, schema) {
  if (!schema.enum) return element('input', { type: 'text', spellcheck: 'false', ...attributes });
  return element('select', attributes, ...['', ...schema.enum].map((value) => element('option', {}, value)));
}

/** A whole URL, pasted where a part of it is asked for, fills in every part. */
function spread({ path }, form, { name, value }) {
  if (!value.includes('/') || !path.includes(`{${name}}`)) return;
  const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, one]) => one);
  const found = new RegExp(`${path.replace(/\{\w+\}/g, '([^/]+)')}/?$`).exec(value.trim());
  for (const [i, one] of names.entries()) if (found) form.elements[one].value = decodeURIComponent(found[i + 1]);
}

function bodyFields({ operationId, requestBody }, api) {
  const types = Object.entries(requestBody.content);
  const text = element('textarea', { id: `${operationId}-body`, name: 'body', spellcheck: 'false' });
  const show = (type) => {
    const { example, schema } = requestBody.content[type];
    const value = example ?? exampleOf(schema, api);
    text.value = typeof value === 'string' ? value : JSON.stringify(value, null, 2);
  };
  const choice = element('select', { name: 'contentType' }, ...types.map(([type]) => element('option', {}, type)));
  choice.addEventListener('change', () => show(choice.value));
  show(choice.value);
  const parts = [element('h3', {}, 'Body')];
  if (types.length > 1) parts.push(element('label', { class: 'type' }, 'Content type', choice));
  parts.push(element('label', { for: text.id }, requestBody.description ?? 'JSON', text));
  const [, { schema }] = types[0];
  if (schema) parts.push(element('details', {}, element('summary', {}, 'What it may hold'), schemaList(schema, api)));
  return parts;
}

/** Errors are all of one shape: it is shown once. */
function answers({ responses }, api) {
  const isError = ([status]) => status >= '400';
  const errors = Object.entries(responses).filter(isError);
  const good = Object.entries(responses).filter((answer) => !isError(answer));
  if (errors.length === 0) return good.map((answer) => answerBlock(answer, api));
  const title = element('summary', { class: 'faint' }, `Errors: ${errors.map(([status]) => status).join(', ')}`);
  const list = errors.map(([status, { description }]) => element('li', {}, ...prose(`${status} ${description}`)));
  const shape = schemaOf(errors[0][1]);
  return [
    ...good.map((answer) => answerBlock(answer, api)),
    element(
      'details',
      {},
      title,
      element('ul', { class: 'schema' }, ...list),
      ...(shape ? [schemaList(shape, api)] : []),
    ),
  ];
}

function answerBlock([status, answer], api) {
  const schema = schemaOf(answer);
  const title = prose(`${status} ${answer.description}`);
  if (!schema) return element('p', { class: 'faint' }, ...title);
  return element('details', {}, element('summary', { class: 'faint' }, ...title), schemaList(schema, api));
}

function schemaOf({ content }) {
  return content?.['application/json']?.schema;
}

async function submit(operation, form, output, api) {
  output.replaceChildren(element('p', { class: 'faint' }, 'Waiting …'));
  const access = {
    key: document.getElementById('key').value.trim(),
    workspace: document.getElementById('workspace').value.trim(),
  };
  output.replaceChildren(...answerOf(await sendRequest(operation, new FormData(form), access), operation, api));
}
