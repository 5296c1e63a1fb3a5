import { ScytheError } from "../errors.ts";

/** Hours of the day in which a worker works, in the machine's own time. */
export interface ActiveHours {
  includes(time: Date): boolean;
  /** Milliseconds until this changes. */
  untilChange(time: Date): number;
}

const DAY = 24 * 60;

/**
 * Reads `20:00-07:00`, which may go past midnight.
 * @throws ScytheError `invalid_input`
 */
export function parseActiveHours(text: string): ActiveHours {
  const found = /^(\d{1,2}):(\d{2})-(\d{1,2}):(\d{2})$/.exec(text.replaceAll(" ", ""));
  const [h1, m1, h2, m2] = (found ?? []).slice(1).map(Number) as [number, number, number, number];
  const from = h1 * 60 + m1;
  const to = h2 * 60 + m2;
  if (!found || h1 > 23 || m1 > 59 || m2 > 59 || to > DAY || from === to) {
    throw new ScytheError("invalid_input", `--active-hours: ${JSON.stringify(text)} is not a pair of times`, {
      hint: "Give when to begin and when to end, such as 20:00-07:00.",
    });
  }
  const includes = (time: Date) => {
    const minute = minuteOf(time);
    return from < to ? minute >= from && minute < to : minute >= from || minute < to;
  };
  return {
    includes,
    untilChange: (time) => {
      const next = includes(time) ? to : from;
      const minutes = (next - minuteOf(time) + DAY) % DAY || DAY;
      return minutes * 60_000 - time.getSeconds() * 1000 - time.getMilliseconds();
    },
  };
}

function minuteOf(time: Date): number {
  return time.getHours() * 60 + time.getMinutes();
}
