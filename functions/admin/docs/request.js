/** Sends what the form of an operation says, and puts the answer into words. */
export async function sendRequest(operation, values, { key, workspace }) {
  const { method, path, requestBody, parameters = [] } = operation;
  const named = (place) => parameters.filter((parameter) => parameter.in === place);
  const filled = path.replace(/\{(\w+)\}/g, (_match, name) => encodeURIComponent(values.get(name)));
  const query = new URLSearchParams();
  for (const { name } of named('query')) if (values.get(name)) query.set(name, values.get(name));
  const isPublic = operation.security?.length === 0;
  const headers = {
    ...Object.fromEntries(named('header').flatMap(({ name }) => (values.get(name) ? [[name, values.get(name)]] : []))),
    ...(requestBody && { 'content-type': values.get('contentType') ?? Object.keys(requestBody.content)[0] }),
    ...(key && !isPublic && { authorization: `Bearer ${key}` }),
    ...(workspace && !isPublic && { 'x-workspace': workspace }),
  };
  const started = performance.now();
  try {
    const response = await fetch(`.${filled}${query.size > 0 ? `?${query}` : ''}`, {
      method: method.toUpperCase(),
      headers,
      // Who is signed in to the console may look; what changes something takes a key, whoever wrote the link to it.
      credentials: key || method !== 'get' ? 'omit' : 'same-origin',
      ...(requestBody && { body: values.get('body') }),
    });
    const text = readable(await response.text(), response.headers.get('content-type') ?? '');
    const { status } = response;
    return { status, title: `${status} in ${Math.round(performance.now() - started)} ms`, text };
  } catch (error) {
    return { title: 'No answer', text: String(error) };
  }
}

function readable(text, contentType) {
  if (!contentType.startsWith('application/json')) return text;
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text; // A stranger's body may call itself JSON and be none.
  }
}
