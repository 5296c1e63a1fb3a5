/**
 * Parses text for schemas of other kinds: CSV cells, `--set`, strings in JSON. Each parser takes time proportional to
 * the text and returns undefined for text that is not of its kind; nothing is guessed.
 */

/** Decimal digits with a point and an exponent, as most languages write them; `nan`, `inf`. */
export function numberOf(text: string): number | undefined {
  const plain = text.trim();
  if (/^[+-]?nan$/i.test(plain)) return Number.NaN;
  if (/^[+-]?inf(inity)?$/i.test(plain)) return plain.startsWith("-") ? -Infinity : Infinity;
  return /^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i.test(plain) ? Number(plain) : undefined;
}

/** Text with more digits cannot be a 64-bit integer, and parsing time grows faster than the number of digits. */
const MAX_DIGITS = 40;

export function bigintOf(text: string): bigint | undefined {
  const plain = text.trim();
  if (plain.length > MAX_DIGITS || !/^[+-]?\d+$/.test(plain)) return undefined;
  return BigInt(plain.replace(/^\+/, ""));
}

const BOOLEANS: ReadonlyMap<string, boolean> = new Map(
  Object.entries({ true: true, false: false, "1": true, "0": false, yes: true, no: false }),
);

export function booleanOf(text: string): boolean | undefined {
  return text.length > 10 ? undefined : BOOLEANS.get(text.trim().toLowerCase());
}

const DATE =
  /^(\d{4}|[+-]\d{6})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?(Z|[+-]\d\d(?::?\d\d)?)?)?$/i;
const LONGEST_DATE = 64;

/**
 * A date or time in ISO 8601: `2024-01-31`, `2024-01-31T12:00`, `2024-01-31 12:00:00.5+01:00`. UTC without a zone,
 * wherever it is read. Dates that do not exist are refused. Digits beyond milliseconds are dropped.
 */
export function dateOf(text: string): Date | undefined {
  const plain = text.length > LONGEST_DATE ? "" : text.trim();
  const match = DATE.exec(plain);
  if (!match) return undefined;
  const [, year, month, day, hour = "0", minute = "0", second = "0", fraction = "", zone = "Z"] = match;
  const numbers = [year, month, day, hour, minute, second].map(Number) as [number, number, number, ...number[]];
  const ms = Number(fraction.padEnd(3, "0").slice(0, 3));
  const date = new Date(0);
  date.setUTCFullYear(numbers[0], numbers[1] - 1, numbers[2]);
  date.setUTCHours(numbers[3]!, numbers[4]!, numbers[5]!, ms);
  const offset = offsetMinutes(zone);
  if (offset === undefined || !is(date, numbers) || year === "-000000") return undefined;
  const shifted = new Date(date.getTime() - offset * 60_000);
  return Number.isNaN(shifted.getTime()) ? undefined : shifted;
}

/** False when Date normalized the value to another day or hour: 30 February, 25 o'clock. */
function is(date: Date, [year, month, day, hour, minute, second]: readonly number[]): boolean {
  return (
    date.getUTCFullYear() === year &&
    date.getUTCMonth() + 1 === month &&
    date.getUTCDate() === day &&
    date.getUTCHours() === hour &&
    date.getUTCMinutes() === minute &&
    date.getUTCSeconds() === second
  );
}

function offsetMinutes(zone: string): number | undefined {
  if (/^z$/i.test(zone)) return 0;
  const hours = Number(zone.slice(1, 3));
  const minutes = Number(zone.slice(3).replace(":", "") || 0);
  if (hours > 23 || minutes > 59) return undefined;
  return (zone.startsWith("-") ? -1 : 1) * (hours * 60 + minutes);
}
