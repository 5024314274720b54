import type { IncomingHttpHeaders } from 'node:http';
import { fileTypeFromBuffer } from 'file-type';
import type { Fetched } from '#lib/app/sending/ports.ts';
import { extensionOf, safeFileName, withExtension } from '#lib/domain/file-name.ts';
import { agrees, isTextByName, mimeTypeOf, type Sniffed } from '#lib/domain/file-type-rules.ts';
import { isPage } from '#lib/domain/page.ts';
import { refused } from './failure.ts';

const SAMPLE = 4_100;

/** Whether these bytes may go out under this name; and the name and type under which they do. */
export async function examine(rawName: string, headers: IncomingHttpHeaders, bytes: Uint8Array): Promise<Fetched> {
  const name = safeFileName(rawName);
  if (showsPage(headers, bytes) && !isMeantAsPage(name, headers)) return OPENS_PAGE;
  const sniffed = await sniff(name, bytes.subarray(0, SAMPLE));
  if (sniffed === 'unreadable') return refused('the file is broken or made to confuse whoever reads it');
  if (sniffed && !agrees(name, sniffed)) {
    return refused(`the file is of type ${sniffed.mimeType}, its name ends in .${extensionOf(name)}`);
  }
  const named = sniffed && extensionOf(name) === undefined ? withExtension(name, sniffed.extension) : name;
  return { kind: 'ok', name: named, mimeType: mimeTypeOf(named, sniffed), bytes };
}

const OPENS_PAGE = refused(
  'file_url opens a page, not a file: it is not a direct download link. Such a link, opened in a private browser window, ' +
    'starts a download at once; the link that a file sharing service offers for people shows them a page first',
);

function showsPage(headers: IncomingHttpHeaders, bytes: Uint8Array): boolean {
  return /^\s*(?:text\/html|application\/xhtml\+xml)\b/i.test(headers['content-type'] ?? '') || isPage(bytes);
}

function isMeantAsPage(name: string, headers: IncomingHttpHeaders): boolean {
  return /\.x?html?$/i.test(name) && /^\s*attachment\b/i.test(headers['content-disposition'] ?? '');
}

async function sniff(name: string, sample: Uint8Array): Promise<Sniffed | 'unreadable' | undefined> {
  if (isTextByName(name, sample)) return undefined;
  const archive = archiveOf(sample);
  if (archive) return archive;
  try {
    const found = await fileTypeFromBuffer(sample);
    return found && { extension: found.ext.toLowerCase(), mimeType: found.mime };
  } catch {
    // Strangers' bytes are all that goes in, so what comes out as an error is about them.
    return 'unreadable';
  }
}

/** Told here by their first bytes alone: the library would unpack some of what they hold. */
function archiveOf([first, second, third, fourth]: Uint8Array): Sniffed | undefined {
  if (first === 0x1f && second === 0x8b) return { extension: 'gz', mimeType: 'application/gzip' };
  const isZip = first === 0x50 && second === 0x4b && third === 0x03 && fourth === 0x04;
  return isZip ? { extension: 'zip', mimeType: 'application/zip' } : undefined;
}
