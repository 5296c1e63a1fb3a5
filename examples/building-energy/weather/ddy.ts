import { InputFileError } from "./input-file-error.ts";
import { readTextLines } from "./text-file.ts";

/** One `SizingPeriod:DesignDay` of a DDY file: what the sizing needs of it. */
export interface DesignDay {
  name: string;
  month: number;
  day: number;
  /** [degC] */
  maxDryBulb: number;
  /** maximum less minimum dry bulb of the day [K] */
  dryBulbRange: number;
  sky: DesignSky;
}

/** ASHRAE's clear sky: of 2009 and later by two optical depths, of before by a clearness number. */
export type DesignSky =
  | { model: "tau"; beamDepth: number; diffuseDepth: number }
  | { model: "clear"; clearness: number };

/** The two days a plant is sized for. */
export interface DesignDays {
  heating: DesignDay;
  cooling: DesignDay;
}

type Kind = "WinterDesignDay" | "SummerDesignDay";
const KIND = "day type";
const REMEDY = "Give the .ddy file published with the weather file (climate.onebuilding.org, energyplus.net/weather).";

/**
 * Reads the annual heating 99.6 % and cooling 0.4 % dry-bulb design days; where a file names its days otherwise, the
 * coldest winter and the hottest summer day.
 * @throws InputFileError for a file without such days, or in the field order of EnergyPlus before version 7
 */
export function readDesignDays(file: string): DesignDays {
  const objects = parseObjects(readTextLines(file, "design day file (.ddy)"));
  const days = objects.filter(({ fields }) => /^SizingPeriod:DesignDay$/i.test(fields[0] ?? ""));
  if (days.length === 0) {
    throw new InputFileError({ file }, "It has no SizingPeriod:DesignDay object, so it is not a DDY file.", REMEDY);
  }
  const winter = ofKind(days, "WinterDesignDay", file);
  const summer = ofKind(days, "SummerDesignDay", file);
  return {
    heating: winter.find(({ name }) => /htg 99\.6%.* db\b/i.test(name)) ?? extreme(winter, -1),
    cooling: summer.find(({ name }) => /clg \.4%.* db=>m?wb/i.test(name)) ?? extreme(summer, 1),
  };
}

interface IdfObject {
  fields: string[];
  /** 1-based line of its first field */
  line: number;
}

/** Splits IDF text: fields end with a comma, objects with a semicolon, comments run from `!` to the end of the line. */
function parseObjects(lines: readonly string[]): IdfObject[] {
  const objects: IdfObject[] = [];
  let text = "";
  let line = 1;
  lines.forEach((raw, index) => {
    const parts = raw.replace(/!.*/, "").split(";");
    parts.forEach((part, position) => {
      if (text.trim() === "" && part.trim() !== "") line = index + 1;
      text += part;
      if (position < parts.length - 1) {
        objects.push({ fields: text.split(",").map((field) => field.trim()), line });
        text = "";
      }
    });
  });
  return objects;
}

function ofKind(objects: readonly IdfObject[], kind: Kind, file: string): DesignDay[] {
  const days = objects.filter(({ fields, line }) => dayKind(fields, { file, line }) === kind);
  if (days.length > 0) return days.map(({ fields, line }) => toDesignDay(fields, { file, line }));
  throw new InputFileError({ file }, `It has no design day of the type ${kind}.`, REMEDY);
}

function dayKind(fields: readonly string[], where: { file: string; line: number }): string {
  const kind = fields[4] ?? "";
  if (/designday$|day$/i.test(kind)) return kind;
  const problem = `"${fields[1]}" has "${kind}" where its ${KIND} (4th field) belongs.`;
  throw new InputFileError(where, problem, "The order of fields must be that of EnergyPlus 7 or later.");
}

function toDesignDay(fields: readonly string[], where: { file: string; line: number }): DesignDay {
  const number = (index: number, label: string, low: number, high: number, fallback = Number.NaN): number => {
    const text = fields[index] ?? "";
    const value = text === "" ? fallback : Number(text);
    if (value >= low && value <= high) return value;
    const problem = `"${fields[1]}": its ${label} (field ${index}) is "${text}", not a number from ${low} to ${high}.`;
    throw new InputFileError(where, problem, "Correct that field.");
  };
  const isTau = /^ASHRAETau/i.test(fields[21] ?? "");
  return {
    name: fields[1] ?? "",
    month: number(2, "month", 1, 12),
    day: number(3, "day of month", 1, 31),
    maxDryBulb: number(5, "maximum dry-bulb temperature", -70, 60),
    dryBulbRange: number(6, "daily dry-bulb range", 0, 40, 0),
    sky: isTau
      ? { model: "tau", beamDepth: number(24, "beam depth", 0, 5), diffuseDepth: number(25, "diffuse depth", 0, 5) }
      : { model: "clear", clearness: number(26, "clearness", 0, 1.2, 0) },
  };
}

function extreme(days: readonly DesignDay[], sign: 1 | -1): DesignDay {
  return days.reduce((best, day) => (sign * (day.maxDryBulb - best.maxDryBulb) > 0 ? day : best));
}
