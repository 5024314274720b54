/** Whether a key belongs to what is being written, or to the browser: such a key is no command of ours. */
export function isWriting({ target, ctrlKey, metaKey, altKey }: KeyboardEvent): boolean {
  const isField = target instanceof HTMLElement && target.matches('input, textarea, select, dialog *');
  return isField || ctrlKey || metaKey || altKey;
}
