import { basename } from "node:path";

/** The fields of a result row that the report needs. */
export interface ReportRow {
  weather_file: string;
  economizer: string;
  r_value: number;
  lpd: number;
  setpoint: number;
  heating: number;
  cooling: number;
  lighting: number;
  equipment: number;
  fans: number;
  pumps: number;
}

interface Group {
  climate: string;
  economizer: string;
  count: number;
  heating: number;
  cooling: number;
  total: number;
}

/** All six end uses [kWh/m2]: heat and electricity added as they are, without a plant's efficiency. */
export function totalUse(row: ReportRow): number {
  return row.heating + row.cooling + row.lighting + row.equipment + row.fans + row.pumps;
}

/** `chicago-typical-year.epw` → `chicago-typical-year`, whatever folder or URI it came from. */
function climateName(weatherFile: string): string {
  return basename(weatherFile).replace(/\.epw$/i, "");
}

/** Means by climate and economizer, then the best spec of each climate: lines of plain text. */
export function reportLines(rows: readonly ReportRow[]): string[] {
  const groups = groupRows(rows);
  const width = Math.max(7, ...groups.map(({ climate }) => climate.length));
  const line = (...cells: readonly string[]) => {
    const [climate = "", economizer = "", ...numbers] = cells;
    return [climate.padEnd(width), economizer.padEnd(20), ...numbers.map((cell) => cell.padStart(8))].join("  ");
  };
  const title = line("climate", "economizer", "specs", "heating", "cooling", "total");
  return [
    title,
    "─".repeat(title.length),
    ...groups.map(({ climate, economizer, count, heating, cooling, total }) => {
      const means = [heating, cooling, total].map((sum) => (sum / count).toFixed(1));
      return line(climate, economizer, String(count), ...means);
    }),
    "─".repeat(title.length),
    "means in kWh/m2 a year; total is of all six end uses",
    "",
    ...bestLines(rows),
  ];
}

function groupRows(rows: readonly ReportRow[]): Group[] {
  const groups = new Map<string, Group>();
  for (const row of rows) {
    const climate = climateName(row.weather_file);
    const key = `${climate}\0${row.economizer}`;
    const empty = { climate, economizer: row.economizer, count: 0, heating: 0, cooling: 0, total: 0 };
    const group = groups.get(key) ?? empty;
    groups.set(key, group);
    group.count++;
    group.heating += row.heating;
    group.cooling += row.cooling;
    group.total += totalUse(row);
  }
  return [...groups.values()];
}

function bestLines(rows: readonly ReportRow[]): string[] {
  const best = new Map<string, ReportRow>();
  for (const row of rows) {
    const climate = climateName(row.weather_file);
    const known = best.get(climate);
    if (!known || totalUse(row) < totalUse(known)) best.set(climate, row);
  }
  return [...best].map(([climate, row]) => {
    const spec = `R ${row.r_value} m2K/W, ${row.lpd} W/m2, ${row.setpoint} degC, ${row.economizer}`;
    return `least energy in ${climate}: ${totalUse(row).toFixed(1)} kWh/m2 with ${spec}`;
  });
}
