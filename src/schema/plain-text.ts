/**
 * What text stands for where a schema asks for another kind: the cells of a CSV file, `--set`, text in JSON. Each reader
 * takes time in proportion to the text and returns undefined for what is not of its kind; nothing is guessed.
 */

/** Decimal digits with a point and an exponent, as every language writes them; `nan`, `inf`. */
export function numberOf(text: string): number | undefined {
  const plain = text.trim();
  if (/^[+-]?nan$/i.test(plain)) return Number.NaN;
  if (/^[+-]?inf(inity)?$/i.test(plain)) return plain.startsWith("-") ? -Infinity : Infinity;
  return /^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i.test(plain) ? Number(plain) : undefined;
}

/** More digits than this fit no 64-bit integer, and take time that grows faster than their number. */
const MOST_DIGITS = 40;

export function bigintOf(text: string): bigint | undefined {
  const plain = text.trim();
  if (plain.length > MOST_DIGITS || !/^[+-]?\d+$/.test(plain)) return undefined;
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
 * A day or a time in ISO 8601: `2024-01-31`, `2024-01-31T12:00`, `2024-01-31 12:00:00.5+01:00`. Without a zone it is UTC,
 * wherever it is read. A day that the calendar does not have is none. Digits beyond the millisecond are dropped.
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

/** False where the calendar or the clock went on to another day or hour: 30 February, 25 o'clock. */
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
