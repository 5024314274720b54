import { crc32, deflateSync, inflateSync } from 'node:zlib';

const SIGNATURE = Buffer.from('89504e470d0a1a0a', 'hex');
/** In the head of a PNG: the depth of a sample, and what a pixel is. */
const RGB = 2;
const RGBA = 6;
const INDEXED = 3;
const MOST_COLOURS = 256;
/** Grounds, cards and lines are nearly alike, and what makes a page: they stay what they are. */
const EXACT = 48;

interface Picture {
  readonly width: number;
  readonly height: number;
  /** One number a pixel, `0xrrggbb`; what can be seen through is none of a page. */
  readonly pixels: Uint32Array;
}

/** The same picture as a PNG with at most 256 colours, which is a third of the size: pages have few that matter. */
export function withPalette(png: Uint8Array): Buffer {
  const { width, height, pixels } = read(Buffer.from(png));
  const counts = new Map<number, number>();
  for (const pixel of pixels) counts.set(pixel, (counts.get(pixel) ?? 0) + 1);
  const colours = chosen(counts);
  const places = new Map([...counts.keys()].map((colour) => [colour, nearest(colours, colour)]));
  const rows = Buffer.alloc(height * (width + 1));
  for (let i = 0; i < pixels.length; i++) {
    const y = Math.floor(i / width);
    rows[y * (width + 1) + 1 + (i % width)] = places.get(pixels[i] ?? 0) ?? 0;
  }
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head.set([8, INDEXED], 8);
  const palette = Buffer.from(colours.flatMap((colour) => channelsOf(colour)));
  const chunks = [
    chunk('IHDR', head),
    chunk('PLTE', palette),
    chunk('IDAT', deflateSync(rows, { level: 9 })),
    chunk('IEND', Buffer.alloc(0)),
  ];
  return Buffer.concat([SIGNATURE, ...chunks]);
}

const channelsOf = (colour: number) => [colour >> 16, (colour >> 8) & 255, colour & 255] as const;

function distance(one: number, other: number): number {
  const [a, b] = [channelsOf(one), channelsOf(other)];
  return (a[0] - b[0]) ** 2 + (a[1] - b[1]) ** 2 + (a[2] - b[2]) ** 2;
}

/** The most frequent ones, and of the others each that is unlike those before it: the shades at the edges of letters are many, and nearly alike. */
function chosen(counts: ReadonlyMap<number, number>): readonly number[] {
  const byCount = [...counts].sort((a, b) => b[1] - a[1] || a[0] - b[0]).map(([colour]) => colour);
  if (byCount.length <= MOST_COLOURS) return byCount;
  for (let apart = 64; ; apart *= 2) {
    const kept = byCount.slice(0, EXACT);
    for (const colour of byCount.slice(EXACT)) {
      if (kept.length > MOST_COLOURS) break;
      if (kept.every((one) => distance(one, colour) >= apart)) kept.push(colour);
    }
    if (kept.length <= MOST_COLOURS) return kept;
  }
}

function nearest(colours: readonly number[], colour: number): number {
  let best = 0;
  for (let i = 1; i < colours.length; i++) {
    if (distance(colours[i] ?? 0, colour) < distance(colours[best] ?? 0, colour)) best = i;
  }
  return best;
}

function chunk(type: string, data: Buffer): Buffer {
  const named = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(data.length);
  const sum = Buffer.alloc(4);
  sum.writeUInt32BE(crc32(named));
  return Buffer.concat([length, named, sum]);
}

/** A PNG as browsers write it: eight bits a channel, not interlaced. */
function read(png: Buffer): Picture {
  if (!png.subarray(0, 8).equals(SIGNATURE)) throw new Error('this is no PNG');
  const parts: Buffer[] = [];
  for (let at = 8; at < png.length; ) {
    const length = png.readUInt32BE(at);
    if (png.toString('latin1', at + 4, at + 8) === 'IDAT') parts.push(png.subarray(at + 8, at + 8 + length));
    at += length + 12;
  }
  const [width, height] = [png.readUInt32BE(16), png.readUInt32BE(20)];
  const [depth, kind, interlaced] = [png[24], png[25], png[28]];
  if (depth !== 8 || (kind !== RGB && kind !== RGBA) || interlaced !== 0) throw new Error('a PNG of another kind');
  const size = kind === RGB ? 3 : 4;
  const bytes = unfiltered(inflateSync(Buffer.concat(parts)), width * size, size);
  const pixels = new Uint32Array(width * height);
  for (let i = 0; i < pixels.length; i++) pixels[i] = bytes.readUIntBE(i * size, 3);
  return { width, height, pixels };
}

/** Each row says by which rule it was written: by the pixel to the left, the one above, or both. */
function unfiltered(rows: Buffer, length: number, size: number): Buffer {
  const bytes = Buffer.alloc((rows.length / (length + 1)) * length);
  for (let row = 0; row * (length + 1) < rows.length; row++) {
    const filter = rows[row * (length + 1)] ?? 0;
    for (let i = 0; i < length; i++) {
      const at = row * length + i;
      const left = i >= size ? (bytes[at - size] ?? 0) : 0;
      const above = row > 0 ? (bytes[at - length] ?? 0) : 0;
      const corner = i >= size && row > 0 ? (bytes[at - length - size] ?? 0) : 0;
      bytes[at] = (rows[row * (length + 1) + 1 + i] ?? 0) + guess(filter, left, above, corner);
    }
  }
  return bytes;
}

function guess(filter: number, left: number, above: number, corner: number): number {
  switch (filter) {
    case 1:
      return left;
    case 2:
      return above;
    case 3:
      return (left + above) >> 1;
    case 4: {
      const [a, b, c] = [above - corner, left - corner, above + left - 2 * corner].map(Math.abs);
      if ((a ?? 0) <= (b ?? 0) && (a ?? 0) <= (c ?? 0)) return left;
      return (b ?? 0) <= (c ?? 0) ? above : corner;
    }
    default:
      return 0;
  }
}
