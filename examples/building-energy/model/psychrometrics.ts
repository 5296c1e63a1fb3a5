/**
 * Moist air, after ASHRAE Handbook — Fundamentals 2017, chapter 1 (equation numbers below are that chapter's).
 * Ideal-gas relations: within 0.5 % of the handbook's real-gas table 2 at sea level.
 */

/** Ratio of the molar masses of water and dry air. */
const MASS_RATIO = 0.621945;

/** Saturation pressure of water vapour [Pa] over ice below 0 °C and over water above; eq. 5 and 6 (Hyland and Wexler 1983). */
export function saturationPressure(celsius: number): number {
  const t = celsius + 273.15;
  const log = Math.log(t);
  if (celsius < 0) {
    const polynomial = 6.3925247 + t * (-9.677843e-3 + t * (6.2215701e-7 + t * (2.0747825e-9 + t * -9.484024e-13)));
    return Math.exp(-5.6745359e3 / t + polynomial + 4.1635019 * log);
  }
  const polynomial = 1.3914993 + t * (-4.8640239e-2 + t * (4.1764768e-5 + t * -1.4452093e-8));
  return Math.exp(-5.8002206e3 / t + polynomial + 6.5459673 * log);
}

/** Humidity ratio [kg water/kg dry air] of air with this dew point [degC] at this pressure [Pa]; eq. 20. */
export function humidityRatio(dewPoint: number, pressure: number): number {
  const vapour = saturationPressure(dewPoint);
  return (MASS_RATIO * vapour) / (pressure - vapour);
}

/** Specific enthalpy [J/kg dry air] at dry bulb [degC] and humidity ratio [kg/kg]; eq. 30. */
export function enthalpy(dryBulb: number, ratio: number): number {
  return 1006 * dryBulb + ratio * (2_501_000 + 1860 * dryBulb);
}

/** Standard atmospheric pressure [Pa] at an elevation [m]; eq. 3. */
export function standardPressure(elevation: number): number {
  return 101_325 * (1 - 2.25577e-5 * elevation) ** 5.2559;
}

/** Relative humidity [%] from dry bulb and dew point [degC]; eq. 22. */
export function relativeHumidityOf(dryBulb: number, dewPoint: number): number {
  return (100 * saturationPressure(dewPoint)) / saturationPressure(dryBulb);
}

/** Dew point [degC] from dry bulb [degC] and relative humidity [%]: inverts {@link saturationPressure} by Newton's method. */
export function dewPointOf(dryBulb: number, relativeHumidity: number): number {
  const target = Math.log((saturationPressure(dryBulb) * relativeHumidity) / 100);
  let dewPoint = dryBulb;
  for (let iteration = 0; iteration < 20; iteration++) {
    const step = 0.01;
    const here = Math.log(saturationPressure(dewPoint));
    const slope = (Math.log(saturationPressure(dewPoint + step)) - here) / step;
    const change = (target - here) / slope;
    dewPoint += change;
    if (Math.abs(change) < 1e-6) break;
  }
  return dewPoint;
}
