/** Where a weather file was observed. */
export interface Place {
  name: string;
  /** [deg], north positive */
  latitude: number;
  /** [deg], east positive */
  longitude: number;
  /** local standard time minus UTC [h] */
  timeZone: number;
  /** [m] above sea level */
  elevation: number;
}

export const HOURS_A_YEAR = 8760;

/** Days of the twelve months of a year without leap day. */
export const MONTH_DAYS: readonly number[] = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** One year of weather: arrays of 8,760 hours; value `h` is of the hour that *ends* at `h + 1` o'clock, standard time. */
export interface HourlyWeather {
  place: Place;
  /** weekday of January 1: 0 = Monday … 6 = Sunday */
  firstWeekday: number;
  /** [degC] */
  dryBulb: Float64Array;
  /** [degC] */
  dewPoint: Float64Array;
  /** [Pa] */
  pressure: Float64Array;
  /** [Wh/m2] in the hour, i.e. mean [W/m2] */
  globalHorizontal: Float64Array;
  /** [Wh/m2] in the hour */
  directNormal: Float64Array;
  /** [Wh/m2] in the hour */
  diffuseHorizontal: Float64Array;
}

/** First hour (0-based) of each month, and 8,760 at the end: 13 values. */
export const MONTH_STARTS: readonly number[] = Array.from({ length: 13 }, (_, month) =>
  MONTH_DAYS.slice(0, month).reduce((hours, days) => hours + days * 24, 0),
);
