import { crc32, deflateSync, inflateSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { withPalette } from '#infra/screenshots/palette.ts';

const WIDTH = 40;
const HEIGHT = 30;

function chunk(type: string, data: Buffer): Buffer {
  const named = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const numbers = Buffer.alloc(8);
  numbers.writeUInt32BE(data.length, 0);
  numbers.writeUInt32BE(crc32(named), 4);
  return Buffer.concat([numbers.subarray(0, 4), named, numbers.subarray(4)]);
}

/** A picture in true colours, each row written by another of the five filters. */
function pngOf(colourAt: (x: number, y: number) => readonly [number, number, number]): Buffer {
  const head = Buffer.alloc(13);
  head.writeUInt32BE(WIDTH, 0);
  head.writeUInt32BE(HEIGHT, 4);
  head.set([8, 2], 8);
  const sample = (x: number, y: number, c: number) => (x < 0 || y < 0 ? 0 : (colourAt(x, y)[c] ?? 0));
  const rows = Array.from({ length: HEIGHT }, (_, y) => {
    const filter = y % 5;
    const bytes = Array.from({ length: WIDTH * 3 }, (_, i) => {
      const [x, c] = [Math.floor(i / 3), i % 3];
      const [left, above, corner] = [sample(x - 1, y, c), sample(x, y - 1, c), sample(x - 1, y - 1, c)];
      const near = [left, above, corner].toSorted(
        (a, b) => Math.abs(left + above - corner - a) - Math.abs(left + above - corner - b),
      );
      const guesses = [0, left, above, (left + above) >> 1, near[0] ?? 0];
      return (sample(x, y, c) - (guesses[filter] ?? 0)) & 255;
    });
    return Buffer.from([filter, ...bytes]);
  });
  const parts = [chunk('IHDR', head), chunk('IDAT', deflateSync(Buffer.concat(rows))), chunk('IEND', Buffer.alloc(0))];
  return Buffer.concat([Buffer.from('89504e470d0a1a0a', 'hex'), ...parts]);
}

/** The colours of a picture with a palette, row by row. */
function coloursOf(png: Buffer): number[][] {
  const found = new Map<string, Buffer>();
  for (let at = 8; at < png.length; ) {
    const length = png.readUInt32BE(at);
    const named = png.subarray(at + 4, at + 8 + length);
    expect(png.readUInt32BE(at + 8 + length)).toBe(crc32(named));
    found.set(named.toString('latin1', 0, 4), named.subarray(4));
    at += length + 12;
  }
  const palette = found.get('PLTE') ?? Buffer.alloc(0);
  const rows = inflateSync(found.get('IDAT') ?? Buffer.alloc(0));
  expect(palette.length).toBeLessThanOrEqual(3 * 256);
  return Array.from({ length: HEIGHT * WIDTH }, (_, i) => {
    const place = rows[Math.floor(i / WIDTH) * (WIDTH + 1) + 1 + (i % WIDTH)] ?? 0;
    return [...palette.subarray(place * 3, place * 3 + 3)];
  });
}

const all = (colourAt: (x: number, y: number) => readonly [number, number, number]) =>
  Array.from({ length: HEIGHT * WIDTH }, (_, i) => [...colourAt(i % WIDTH, Math.floor(i / WIDTH))]);

it('keeps a picture of few colours as it is, whichever filters its rows were written by', () => {
  const few = (x: number, y: number) => [(x % 8) * 30, (y % 4) * 60, 200] as const;
  expect(coloursOf(withPalette(pngOf(few)))).toEqual(all(few));
});

it('keeps the ground exactly, and makes the rest of a picture of many colours nearly what it was', () => {
  const wanted = (x: number, y: number): readonly [number, number, number] =>
    y < 20 ? [247, 249, 248] : [(x * 6) & 255, (y * 8) & 255, (x * y) & 255];
  const got = coloursOf(withPalette(pngOf(wanted)));
  const meant = all(wanted);
  expect(got.slice(0, WIDTH * 20)).toEqual(meant.slice(0, WIDTH * 20));
  const off = got.map((colour, i) => Math.max(...colour.map((value, c) => Math.abs(value - (meant[i]?.[c] ?? 0)))));
  expect(Math.max(...off)).toBeLessThan(32);
});

it('takes nothing else for a picture', () => {
  expect(() => withPalette(Buffer.from('GIF89a..........'))).toThrow('this is no PNG');
});
