import type { Seen } from './fake-http.ts';

export interface Form {
  readonly fields: Readonly<Record<string, string>>;
  /** Every part's name, in order. */
  readonly names: readonly string[];
  readonly files: readonly {
    readonly field: string;
    readonly name: string;
    readonly type: string;
    readonly bytes: Buffer;
  }[];
}

/**
 * A multipart body, read strictly from its bytes: the platform's own reader would forgive what a provider's may not.
 * Undefined if the request holds none.
 */
export function formOf({ headers, raw }: Pick<Seen, 'headers' | 'raw'>): Form | undefined {
  const boundary = /^multipart\/form-data; boundary=(\S+)$/.exec(headers['content-type'] ?? '')?.[1];
  const text = raw.toString('latin1');
  if (boundary === undefined || !text.startsWith(`--${boundary}\r\n`) || !text.trimEnd().endsWith(`--${boundary}--`)) {
    return undefined;
  }
  const parts = text.split(`--${boundary}`).slice(1, -1).map(partOf);
  return {
    names: parts.map(({ field }) => field),
    fields: Object.fromEntries(
      parts.flatMap((part) => (part.name === '' ? [[part.field, part.bytes.toString('utf8')]] : [])),
    ),
    files: parts.filter(({ name }) => name !== ''),
  };
}

function partOf(part: string) {
  const [head = '', ...rest] = part.replace(/^\r\n/, '').split('\r\n\r\n');
  const bytes = Buffer.from(rest.join('\r\n\r\n').replace(/\r\n$/, ''), 'latin1');
  const lines = Buffer.from(head, 'latin1').toString('utf8').split('\r\n');
  const disposition = /^content-disposition: form-data; name="([^"]*)"(?:; filename="([^"]*)")?$/i.exec(lines[0] ?? '');
  const type = /^content-type: (.*)$/i.exec(lines[1] ?? '')?.[1] ?? '';
  return { field: disposition?.[1] ?? '', name: disposition?.[2] ?? '', type, bytes };
}
