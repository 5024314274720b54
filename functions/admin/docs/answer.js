import { element } from './schema.js';

/** An answer to read: what to do next first, then the answer itself. */
export function answerOf({ title, status, text }, operation, api) {
  const parts = [element('h3', {}, title)];
  if (status === 401 && operation.security?.length !== 0) parts.push(keyHint());
  parts.push(...onceOnly(operation, status, text, api));
  parts.push(element('pre', { tabindex: '0' }, text));
  return parts;
}

function keyHint() {
  const link = element('a', { href: '#key' }, 'Put it into the field Key');
  link.addEventListener('click', () => document.getElementById('key').focus());
  return element('p', { class: 'note' }, 'This call needs a valid key. ', link, ' at the head of this page.');
}

/** What the document says is shown this once is offered for copying: nobody can show it again. */
function onceOnly({ responses }, status, text, api) {
  const schema = responses[status]?.content?.['application/json']?.schema;
  const named = schema?.$ref ? api.components.schemas[schema.$ref.split('/').pop()] : schema;
  return Object.entries(named?.properties ?? {})
    .filter(([, { description = '' }]) => /shown this once/i.test(description))
    .map(([name]) => copyable(name, JSON.parse(text)[name]));
}

function copyable(name, value) {
  const button = element('button', { type: 'button' }, 'Copy');
  button.addEventListener('click', async () => {
    try {
      await navigator.clipboard.writeText(value);
      button.textContent = 'Copied';
    } catch {
      button.textContent = 'Select it and copy it yourself'; // A page without HTTPS may not.
    }
  });
  const warning = `Keep this ${name}: it is shown this once, and whoever has it may use it.`;
  return element('div', { class: 'note once' }, element('p', {}, warning), element('code', {}, value), button);
}
