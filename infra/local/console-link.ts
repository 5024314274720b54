import * as v from 'valibot';
import type { Hub } from './hub.ts';

/** Signs in once: the newcomer's first click works. It opens nothing after ten minutes; the admin key always does. */
export async function consoleLink(hub: Hub): Promise<string> {
  const response = await fetch(`${hub.url}/api/session/links`, {
    method: 'POST',
    headers: { authorization: `Bearer ${hub.adminKey}` },
  });
  // The hub is reached here, whatever it is called from outside.
  const { token } = v.parse(v.object({ token: v.string() }), await response.json());
  return `console    ${hub.url}/console#${token}\n           (signs in once, within ten minutes; later with the admin key)\n\n`;
}
