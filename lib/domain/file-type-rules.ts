import { extensionOf } from './file-name.ts';
import { mimeTypes } from './mime-types.ts';

/** What the first bytes of a file say that it is. */
export interface Sniffed {
  /** Without a dot, in lower case. */
  readonly extension: string;
  readonly mimeType: string;
}

// One container, many names: each line holds the extensions whose first bytes cannot be told apart, or need not be.
const FAMILIES = [
  'zip docx docm dotx xlsx xlsm xltx pptx ppsx pptm odt ods odp odg epub apk aab jar ipa kmz cbz xpi vsdx pages numbers key',
  'cfb doc dot xls xlt ppt pps msg msi vsd pub',
  'mp4 m4a m4v m4b m4p mov qt 3gp 3g2 f4v heic heif avif cr3',
  'ogg oga ogv ogx opus spx',
  'mkv webm mka',
  'mp3 mp2 mp1 mpga aac adts mpg mpeg',
  'asf wma wmv',
  'xml svg kml gpx rss atom xsd xsl xhtml html htm',
  'jpg jpeg jpe jfif',
  'png apng',
  'tif tiff dng nef arw cr2',
  'pdf ai',
  'ps eps ai',
  'gz tgz',
  'bz2 tbz2',
  'aif aiff',
  'mid midi',
  'exe dll com scr',
  'sqlite db sqlite3',
  'ics ical',
  'vcf vcard',
].map((line) => new Set(line.split(' ')));

const TEXT_TYPES = /^text\/|[/+](?:json|xml|javascript|yaml)$/;
const UNKNOWN_TYPE = 'application/octet-stream';

/** Whether a file may bear this name, given what it is. An extension that stands for no type we know promises nothing. */
export function agrees(name: string, sniffed: Sniffed): boolean {
  const extension = extensionOf(name);
  if (extension === undefined || extension === sniffed.extension || typeNamedBy(name) === undefined) return true;
  return FAMILIES.some((family) => family.has(extension) && family.has(sniffed.extension));
}

/** The name's own word where there is one, since by now the bytes agree with it. */
export function mimeTypeOf(name: string, sniffed: Sniffed | undefined): string {
  return typeNamedBy(name) ?? sniffed?.mimeType ?? UNKNOWN_TYPE;
}

function typeNamedBy(name: string): string | undefined {
  const extension = extensionOf(name) ?? '';
  return Object.hasOwn(mimeTypes, extension) ? mimeTypes[extension] : undefined;
}

/**
 * Whether this is plain text under a name for text. Some signatures are two letters long: a note that begins with
 * `BMW` or `MZ` is no picture and no program.
 */
export function isTextByName(name: string, sample: Uint8Array): boolean {
  return TEXT_TYPES.test(typeNamedBy(name) ?? '') && !sample.some(isBinary);
}

/** Tab, the line ends and escape are the controls that text has. */
function isBinary(byte: number): boolean {
  return byte < 0x09 || (byte > 0x0d && byte < 0x20 && byte !== 0x1b) || byte === 0x7f;
}
