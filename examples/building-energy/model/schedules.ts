/**
 * A week of a small office, hour by hour, in the manner of the DOE Commercial Reference small office (Deru et al. 2011,
 * NREL/TP-5500-46861), with one working-day and one weekend profile and no holidays. Each array has 168 values, from
 * Monday's first hour to Sunday's last.
 */
export interface WeekSchedules {
  /** share of the people who are in */
  occupancy: Float64Array;
  /** share of the lighting power that is on */
  lighting: Float64Array;
  /** share of the equipment power that is on */
  equipment: Float64Array;
  /** 1 = occupied setpoints, 0 = setback */
  comfort: Float64Array;
  /** 1 = fans bring outdoor air */
  ventilation: Float64Array;
}

/** Value for each hour of a day, from pairs of (last hour it holds for, value). */
function day(...steps: readonly (readonly [until: number, value: number])[]): number[] {
  return Array.from({ length: 24 }, (_, hour) => steps.find(([until]) => hour < until)?.[1] ?? 0);
}

function week(workday: readonly number[], weekend: readonly number[]): Float64Array {
  return Float64Array.from([workday, workday, workday, workday, workday, weekend, weekend].flat());
}

const OCCUPANCY = day([6, 0], [7, 0.1], [8, 0.2], [12, 0.95], [13, 0.5], [17, 0.95], [18, 0.3], [22, 0.1], [24, 0.05]);
const LIGHTING = day([6, 0.05], [7, 0.1], [8, 0.3], [17, 0.9], [18, 0.5], [20, 0.3], [22, 0.2], [24, 0.05]);
const EQUIPMENT = day([8, 0.4], [12, 0.9], [13, 0.8], [17, 0.9], [18, 0.5], [24, 0.4]);

/** Working hours 8–17, comfort from 6 (to warm up) to 20, outdoor air from 7 to 19. */
export const OFFICE_WEEK: WeekSchedules = {
  occupancy: week(OCCUPANCY, day([24, 0])),
  lighting: week(LIGHTING, day([24, 0.05])),
  equipment: week(EQUIPMENT, day([24, 0.3])),
  comfort: week(day([6, 0], [20, 1], [24, 0]), day([24, 0])),
  ventilation: week(day([7, 0], [19, 1], [24, 0]), day([24, 0])),
};

export const HOURS_A_WEEK = 168;
