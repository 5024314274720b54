/**
 * How many digits a telephone or mobile number has after its calling code: fewest and most, and the codes for which that
 * holds. Only so much of the numbering plans goes into every function: all of them weigh more than a provider's own code.
 * A test derives it from the library. Mexico, Ivory Coast and Benin allow their former lengths too, which live on in
 * WhatsApp. Only mobile numbers have more than 13 digits in all: WhatsApp's ids that hide a number have 14 or 15.
 */
const LENGTHS = [
  '4-5 290',
  '4-7 683 690',
  '4-10 352',
  '4-13 43',
  '5-5 247 500 682',
  '5-7 676 677 678 688',
  '5-8 686',
  '5-9 27',
  '5-10 82 358 685',
  '5-11 49',
  '6-6 298 299 672 681 687',
  '6-7 597',
  '6-9 40 252 359 376 421 508',
  '6-10 53 63 95 98 880',
  '6-11 39',
  '7-7 238 239 246 248 269 291 297 501 592 673 674 679 680 691 692 960',
  '7-8 230 241 267 372 507 599 670 675 961 975',
  '7-9 46 48 220 231 254 265 354 423 595 967',
  '7-10 243 353 381',
  '7-11 86',
  '7-12 62',
  '8-8 45 47 65 216 222 223 226 227 228 232 235 236 253 257 266 268 350 356 357 370 371 373 374 382 386 389 502 503 504 ' +
    '505 506 509 591 598 689 852 853 965 968 973 974 993',
  '8-9 32 36 51 66 213 224 250 258 264 355 377 385 387 593 855 886 962 963 970 971 972',
  '8-10 20 57 60 64 225 229 378 383 850 856 964 976 977',
  '9-9 33 34 41 56 61 93 94 211 212 218 221 233 237 240 242 244 245 249 251 255 256 260 261 262 263 351 375 380 420 590 ' +
    '594 596 966 992 994 995 996 998',
  '9-10 44 81 84 92',
  '9-11 31',
  '10-10 1 7 30 58 90 91 234',
  '10-11 52 54 55',
];

const lengths = new Map(
  LENGTHS.flatMap((line) => {
    const [range = '', ...codes] = line.split(' ');
    const [fewest = 0, most = 0] = range.split('-').map(Number);
    return codes.map((code) => [code, { fewest, most }] as const);
  }),
);

/** Of E.164, calling code included. */
const MOST_DIGITS = 15;

/** Where numbers themselves may begin with a zero: elsewhere a zero after the calling code is dialled within the country alone. */
const WITH_ZERO = new Set(['39', '225', '226', '229', '241', '242', '250', '378', '992']);

/** The calling code with which digits begin. No code begins another. */
function callingCodeOf(digits: string): string | undefined {
  return [1, 2, 3].map((size) => digits.slice(0, size)).find((code) => lengths.has(code));
}

/** Whether digits, calling code first, are as many as a number of that country has. */
export function hasLengthOfItsCountry(digits: string): boolean {
  const code = callingCodeOf(digits);
  const length = code === undefined ? undefined : lengths.get(code);
  if (code === undefined || !length) return false;
  const rest = digits.length - code.length;
  return rest >= length.fewest && rest <= length.most;
}

/** In front of a number, where people within the country dial something else than a zero. */
const TRUNKS: ReadonlyMap<string, RegExp> = new Map([
  ['7', /^8/],
  ['36', /^06/],
  // Mobile numbers had prefixes of their own until 2019.
  ['52', /^(?:01|04[45])/],
  // The zero may be followed by which company is to carry the call.
  ['55', /^0(?:[1-9]\d)?/],
  ...['370', '375', '380', '992', '993', '996', '998'].map((code) => [code, /^80?/] as const),
]);

/** Argentina dials 15 before what a caller from abroad dials with a 9: after the area code, which has two to four digits. */
const WITH_15 = /^9?0?(?:(11)15(\d{8})|([23]\d\d)15(\d{7})|([23]\d{3})15(\d{6}))$/;

/**
 * Digits, calling code first, without what is dialled within the country alone: `44 (0)20`, `7 (8) 926`, `54 11 15`; nor
 * with the calling code twice. Digits as many as the country's numbers stay, but for a zero where none begins with one.
 */
export function withoutTrunk(digits: string): string {
  const code = callingCodeOf(digits);
  if (code === undefined) return digits;
  const rest = digits.slice(code.length);
  const mayBegin = WITH_ZERO.has(code);
  const isWhole = (number: string) => hasLengthOfItsCountry(code + number) && (mayBegin || !number.startsWith('0'));
  if (isWhole(rest) && !rest.startsWith('00')) return digits;
  const argentine = code === '54' ? WITH_15.exec(rest)?.slice(1).join('') : undefined;
  const dialled = [
    argentine === undefined ? '' : `9${argentine}`,
    code === '54' ? rest.replace(/^90/, '9') : rest,
    rest.replace(TRUNKS.get(code) ?? '', ''),
    rest.replace(new RegExp(`^(?:00)?${code}${mayBegin ? '' : '0?'}`), ''),
  ].find((number) => number !== rest && isWhole(number));
  // Too many digits for anybody's number: one of them less makes no right one of it.
  if (dialled === undefined && digits.length > MOST_DIGITS) return digits;
  const left = code + (dialled ?? rest.replace(mayBegin ? /^0+(?=0)/ : /^0+/, ''));
  return left === digits ? digits : withoutTrunk(left);
}
