import { join } from "node:path";
import { loadWeather } from "./model/climate.ts";
import type { Economizer } from "./model/economizer.ts";
import { writeHourlyCsv } from "./model/hourly-csv.ts";
import { simulate } from "./model/simulate.ts";
import { sizePlant } from "./model/sizing.ts";
import { annualTotals, type MonthRow, monthlyTotals, type UseTotals } from "./model/totals.ts";
import type { OfficeInputs } from "./model/zone.ts";
import { readDesignDays } from "./weather/ddy.ts";

/** A spec of the experiment; files are local paths. */
export interface OfficeSpec {
  /** [m2K/W] */
  r_value: number;
  /** [W/m2] */
  lpd: number;
  /** [degC] */
  setpoint: number;
  economizer: Economizer;
  weather_file: string;
  design_day_file?: string | undefined;
}

/** [kWh/m2] a year, the path of the hourly CSV file, and twelve rows. */
export interface OfficeOutput extends UseTotals {
  timeseries: string;
  tables: { monthly: MonthRow[] };
}

/**
 * One year of the office in the weather of a file. With a design-day file the plant is sized, and so limited, by it;
 * without, it meets every load.
 * @param folder where `hourly.csv` is written
 * @throws InputFileError for a weather or design-day file that cannot be used
 */
export function runOffice(spec: OfficeSpec, folder: string): OfficeOutput {
  const { weather, climate } = loadWeather(spec.weather_file);
  const inputs: OfficeInputs = {
    rValue: spec.r_value,
    lpd: spec.lpd,
    setpoint: spec.setpoint,
    economizer: spec.economizer,
  };
  const capacity =
    spec.design_day_file === undefined
      ? undefined
      : sizePlant(inputs, readDesignDays(spec.design_day_file), weather.place);
  const results = simulate(inputs, climate, { capacity });
  const timeseries = join(folder, "hourly.csv");
  writeHourlyCsv(results, timeseries);
  return { ...annualTotals(results), timeseries, tables: { monthly: monthlyTotals(results) } };
}
