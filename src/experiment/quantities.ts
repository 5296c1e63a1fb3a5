import ms from "ms";
import { ScytheError } from "../errors.ts";

/** The longest delay of Node's timers in milliseconds, about 24 days; a longer one fires at once. */
const LONGEST_MS = 2 ** 31 - 1;

/** "90s", "10m", "1h", or milliseconds → milliseconds. @throws ScytheError `invalid_input` */
export function parseDuration(value: string | number, what: string): number {
  const result = durationOf(value);
  if (result !== undefined && result > 0 && result <= LONGEST_MS) return result;
  const problem = result !== undefined && result > LONGEST_MS ? "is too long for a timer" : "is not a duration";
  throw new ScytheError("invalid_input", `${what}: ${JSON.stringify(value)} ${problem}`, {
    hint: 'Write "90s", "10m", "1h", or a number of milliseconds; at most 24 days.',
  });
}

function durationOf(value: string | number): number | undefined {
  try {
    const result = typeof value === "number" ? value : (ms(value as ms.StringValue) as number | undefined);
    return Number.isFinite(result) ? result : undefined;
  } catch {
    return undefined; // ms throws on an empty text
  }
}

const UNITS: Record<string, number> = { "": 1, b: 1 };
for (const [i, letter] of ["k", "m", "g", "t"].entries()) {
  UNITS[`${letter}b`] = 1000 ** (i + 1);
  UNITS[`${letter}ib`] = 1024 ** (i + 1);
}

/** "512MB" (10^6), "2GiB" (2^30), or bytes → bytes. @throws ScytheError `invalid_input` */
export function parseBytes(value: string | number, what: string): number {
  const [, number, unit] = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/i.exec(String(value).trim()) ?? [];
  const bytes = Math.round(Number(number) * (UNITS[unit?.toLowerCase() ?? "?"] ?? Number.NaN));
  if (bytes > 0 && Number.isSafeInteger(bytes)) return bytes;
  throw new ScytheError("invalid_input", `${what}: ${JSON.stringify(value)} is not a size`, {
    hint: 'Write "512MB", "2GB", "2GiB", or a number of bytes.',
  });
}

/** Parses an optional setting of an experiment. @throws ScytheError `invalid_definition` */
export function optional(
  parse: (value: string | number, what: string) => number,
  value: string | number | undefined,
  what: string,
): number | undefined {
  try {
    return value === undefined ? undefined : parse(value, what);
  } catch (error) {
    const { message, hint } = error as ScytheError;
    throw new ScytheError("invalid_definition", message, { hint: hint ?? "" });
  }
}
