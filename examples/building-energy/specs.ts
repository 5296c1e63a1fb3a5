import { ECONOMIZERS } from "./model/economizer.ts";
import type { OfficeSpec } from "./run-office.ts";

/** What each combination is made of: 2 weather files × 3 × 8 × 6 × 4 = 1,152 specs. */
export const R_VALUES = [0, 0.5, 1, 2, 3, 4.5, 6.5, 9] as const;
export const LIGHTING_POWERS = [2, 4, 6, 9, 12, 16] as const;
export const SETPOINTS = [18, 20, 21, 22] as const;

/**
 * Every combination, one after the other: a generator, so that a million would take no more memory than one.
 * @param weatherFiles paths or URIs of EPW files
 */
export function* officeSpecs(weatherFiles: Iterable<string>): Generator<OfficeSpec> {
  for (const weather_file of weatherFiles) {
    for (const economizer of ECONOMIZERS) {
      for (const r_value of R_VALUES) {
        for (const lpd of LIGHTING_POWERS) {
          for (const setpoint of SETPOINTS) yield { r_value, lpd, setpoint, economizer, weather_file };
        }
      }
    }
  }
}
