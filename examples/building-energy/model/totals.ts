import { MONTH_STARTS } from "../weather/hourly-weather.ts";
import { END_USES, type EndUse, type HourlyResults } from "./simulate.ts";

/** [kWh/m2] of floor */
export type UseTotals = Record<EndUse, number>;

export interface MonthRow extends UseTotals {
  /** 1 … 12 */
  month: number;
  /** hours in use in which the air was more than 1.1 K off its setpoint */
  unmet_hours: number;
}

function sum(values: Float64Array | Uint8Array, from: number, to: number): number {
  let total = 0;
  for (let hour = from; hour < to; hour++) total += values[hour]!;
  return total;
}

function totals({ uses }: HourlyResults, from: number, to: number): UseTotals {
  const entries = END_USES.map((use) => [use, sum(uses[use], from, to) / 1000] as const);
  return Object.fromEntries(entries) as UseTotals;
}

export function annualTotals(results: HourlyResults): UseTotals {
  return totals(results, 0, results.airTemperature.length);
}

/** Twelve rows; their sums are {@link annualTotals}. */
export function monthlyTotals(results: HourlyResults): MonthRow[] {
  return MONTH_STARTS.slice(0, 12).map((from, index) => {
    const to = MONTH_STARTS[index + 1] ?? from;
    return { month: index + 1, ...totals(results, from, to), unmet_hours: sum(results.unmet, from, to) };
  });
}
