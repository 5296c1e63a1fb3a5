/** 1234567 → `1,234,567`. */
export function countText(count: number): string {
  if (Number.isInteger(count) && Math.abs(count) < 1000) return String(count); // without loading the locale's data
  return count.toLocaleString("en-US");
}

/** `1 spec`, `2 specs`. */
export function plural(count: number, word: string): string {
  return `${countText(count)} ${word}${count === 1 ? "" : "s"}`;
}

/** Seconds as a person would say them, to about two digits: `0.8 s`, `42 s`, `3 m 05 s`, `2 h 05 m`, `3 d 04 h`. */
export function durationText(seconds: number): string {
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return two(whole, 60, "m", 1, "s");
  const minutes = Math.round(seconds / 60);
  if (minutes < 24 * 60) return two(minutes, 60, "h", 1, "m");
  return two(Math.round(seconds / 3600), 24, "d", 1, "h");
}

function two(value: number, big: number, bigUnit: string, small: number, smallUnit: string): string {
  const rest = Math.floor((value % big) / small);
  return `${Math.floor(value / big)} ${bigUnit} ${String(rest).padStart(2, "0")} ${smallUnit}`;
}

/** Specs per second: `1,230`, `12`, `1.2`, `0.05`. */
export function rateText(rate: number): string {
  return rate >= 9.95 ? countText(Math.round(rate)) : String(Number(rate.toPrecision(2)));
}

/** `2026-01-31 12:00:00 UTC`. */
export function timeText(time: string | Date): string {
  const date = new Date(time);
  return Number.isNaN(date.getTime()) ? String(time) : `${date.toISOString().slice(0, 19).replace("T", " ")} UTC`;
}
