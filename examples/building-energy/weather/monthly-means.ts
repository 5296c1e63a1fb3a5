/** Between twelve monthly values, 365 daily values and 8,760 hours. */
import { MONTH_STARTS } from "./hourly-weather.ts";

export function dayOf(hour: number): number {
  return Math.floor(hour / 24);
}

/** 0 … 11 */
export function monthOf(hour: number): number {
  return MONTH_STARTS.findLastIndex((start) => hour >= start);
}

export function sum(values: ArrayLike<number>, from = 0, to = values.length): number {
  let total = 0;
  for (let index = from; index < to; index++) total += values[index]!;
  return total;
}

/** The straight line between the values of two neighbouring months, each taken to hold in its middle. */
export function season(monthly: readonly number[], hour: number): number {
  const month = monthOf(hour);
  const middle = (index: number) => (MONTH_STARTS[index]! + MONTH_STARTS[index + 1]!) / 2;
  const before = hour >= middle(month) ? month : (month + 11) % 12;
  const after = (before + 1) % 12;
  const year = MONTH_STARTS[12]!;
  const since = (hour - middle(before) + year) % year;
  const length = (middle(after) - middle(before) + year) % year;
  return monthly[before]! + ((monthly[after]! - monthly[before]!) * since) / length;
}

/** The straight line between the values of two neighbouring days, each taken to hold at noon. */
export function between(daily: Float64Array, hour: number): number {
  const position = (hour + 0.5 - 12) / 24;
  const before = Math.floor(position);
  const days = daily.length;
  const [first, second] = [daily[(before + days) % days]!, daily[(before + 1) % days]!];
  return first + (second - first) * (position - before);
}

/** Daily values over the mean of their month. */
export function relativeToMonth(daily: Float64Array): Float64Array {
  const result = new Float64Array(daily.length);
  for (let month = 0; month < 12; month++) {
    const [from, to] = [MONTH_STARTS[month]! / 24, MONTH_STARTS[month + 1]! / 24];
    const mean = sum(daily, from, to) / (to - from);
    for (let day = from; day < to; day++) result[day] = daily[day]! / mean;
  }
  return result;
}

/** Scales each month of hourly values to a mean. */
export function scaledToMonths(hourly: Float64Array, means: readonly number[]): Float64Array {
  return perMonth(hourly, (values, month) => {
    const factor = (means[month]! * values.length) / sum(values);
    return values.map((value) => value * factor);
  });
}

/**
 * Shifts each month of hourly values to a mean.
 * @param limit upper bound of each hour; the shift is the larger for it, so that the mean still comes out
 */
export function shiftedToMonths(
  hourly: Float64Array,
  means: readonly number[],
  limit: Float64Array = new Float64Array(hourly.length).fill(Number.POSITIVE_INFINITY),
): Float64Array {
  return perMonth(hourly, (values, month) => {
    const first = MONTH_STARTS[month]!;
    const shifted = (shift: number) => values.map((value, index) => Math.min(value + shift, limit[first + index]!));
    let [low, high] = [-100, 100];
    for (let iteration = 0; iteration < 60; iteration++) {
      const middle = (low + high) / 2;
      if (sum(shifted(middle)) / values.length < means[month]!) low = middle;
      else high = middle;
    }
    return shifted(high);
  });
}

function perMonth(hourly: Float64Array, change: (values: Float64Array, month: number) => Float64Array): Float64Array {
  const result = new Float64Array(hourly.length);
  for (let month = 0; month < 12; month++) {
    const first = MONTH_STARTS[month]!;
    result.set(change(hourly.slice(first, MONTH_STARTS[month + 1]), month), first);
  }
  return result;
}
