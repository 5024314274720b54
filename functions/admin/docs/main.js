import { operationForm } from './form.js';
import { element, pathOf, prose } from './schema.js';

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
      pathOf(path),
      element('span', { class: 'faint' }, ...prose(summary)),
      element('span', { class: 'try', 'aria-hidden': 'true' }, 'Try it'),
    ),
  );
  // There are many operations with large schemas; a reader opens few.
  block.addEventListener('toggle', () => block.append(operationForm(operation, api)), { once: true });
  return block;
}

/** The console links to a call with what it was called with: `#call=GET /api/chats/{id}&id=chat_1`. Nothing is sent. */
function openNamed(named) {
  const [method, path] = (named.get('call') ?? '').split(' ');
  const found = operations.find((one) => one.path === path && one.method === method.toLowerCase());
  if (!found) return;
  const block = document.getElementById(found.operationId);
  const fill = () => {
    const { elements } = block.querySelector('form');
    for (const { name } of found.parameters ?? []) {
      const field = elements.namedItem(name);
      if (field && named.has(name)) field.value = named.get(name);
    }
    block.scrollIntoView();
  };
  document.getElementById('workspace').value = named.get('workspace') ?? '';
  block.addEventListener('toggle', fill, { once: true });
  block.open = true;
}
const named = new URLSearchParams(location.hash.slice(1));
openNamed(named);
// To the page of the console that led here, and nowhere else.
if (named.get('back')?.startsWith('#/')) document.getElementById('back').hash = named.get('back');
