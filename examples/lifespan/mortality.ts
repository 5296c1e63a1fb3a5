/**
 * The Gompertz-Makeham law of mortality with a hazard ratio for body weight.
 *
 * Sources:
 * - W. M. Makeham, "On the law of mortality", J. Inst. Actuaries 13 (1867): hazard(x) = A + B exp(G x).
 * - The Global BMI Mortality Collaboration, Lancet 388 (2016) 776-786, doi:10.1016/S0140-6736(16)30175-1: mortality is
 *   lowest at a body-mass index of 20 to 25 kg/m2 and rises log-linearly above.
 *
 * An example, not medical advice: cohort averages say little of one person.
 */

/** Hazard of death at age x [years]: makeham + gompertz exp(slope x). */
export interface Law {
  /** Hazard that does not depend on age [1/year]. */
  readonly makeham: number;
  /** Age-dependent hazard at age 0 [1/year]. */
  readonly gompertz: number;
  /** Growth of the age-dependent hazard [1/year]. */
  readonly slope: number;
}

/** How the hazard depends on the body-mass index [kg/m2]: 1 between low and high, log-linear outside. */
export interface WeightRisk {
  readonly low: number;
  readonly high: number;
  /** Hazard ratio of 5 kg/m2 below `low`. */
  readonly ratio_below: number;
  /** Hazard ratio of 5 kg/m2 above `high`. */
  readonly ratio_above: number;
}

/** One row of the survival table. */
export interface SurvivalRow {
  /** [years] */
  readonly attained_age: number;
  /** Of being alive at that age, given alive at the first row's. */
  readonly probability: number;
}

const LAST_AGE = 120;
const SIMPSON_INTERVALS = 2000;
/** Long enough for survival to vanish under any law whose hazard grows as a human's does [years]. */
const HORIZON_YEARS = 150;

/** Body-mass index [kg/m2] from weight [kg] and height [m]. */
export function bodyMassIndex(weight: number, height: number): number {
  return weight / (height * height);
}

/** Factor on the hazard of death at a body-mass index [kg/m2]. */
export function hazardRatio(bmi: number, risk: WeightRisk): number {
  if (bmi > risk.high) return risk.ratio_above ** ((bmi - risk.high) / 5);
  if (bmi < risk.low) return risk.ratio_below ** ((risk.low - bmi) / 5);
  return 1;
}

/**
 * Probability that someone of an age [years] lives a number of years more (closed form).
 *
 * @param ratio factor on the hazard at every age
 */
export function survival(law: Law, age: number, years: number, ratio = 1): number {
  const growing = (law.gompertz / law.slope) * Math.exp(law.slope * age) * Math.expm1(law.slope * years);
  return Math.exp(-ratio * (law.makeham * years + growing));
}

/** Expected years of life left at an age: the integral of survival, by Simpson's rule over 150 years. */
export function remainingYears(law: Law, age: number, ratio = 1): number {
  const width = HORIZON_YEARS / SIMPSON_INTERVALS;
  let sum = survival(law, age, 0, ratio) + survival(law, age, HORIZON_YEARS, ratio);
  for (let point = 1; point < SIMPSON_INTERVALS; point++) {
    sum += (point % 2 === 1 ? 4 : 2) * survival(law, age, point * width, ratio);
  }
  return (sum * width) / 3;
}

/** Survival year by year, from an age (a whole number) to 120. */
export function survivalTable(law: Law, age: number, ratio = 1): SurvivalRow[] {
  return Array.from({ length: LAST_AGE - age + 1 }, (_, years) => ({
    attained_age: age + years,
    probability: survival(law, age, years, ratio),
  }));
}
