/** ASHRAE clear-sky irradiance for design days. */
import type { DesignSky } from "../weather/ddy.ts";
import { extraterrestrialNormal } from "./solar.ts";

/** Direct normal and diffuse horizontal irradiance [W/m2]. */
export interface ClearSky {
  direct: number;
  diffuse: number;
}

/** A [W/m2], B and C of January … December; ASHRAE Fundamentals 1985–2005, table "Extraterrestrial solar irradiance". */
const ABC = [
  [1230, 0.142, 0.058],
  [1215, 0.144, 0.06],
  [1186, 0.156, 0.071],
  [1136, 0.18, 0.097],
  [1104, 0.196, 0.121],
  [1088, 0.205, 0.134],
  [1085, 0.207, 0.136],
  [1107, 0.201, 0.122],
  [1151, 0.177, 0.092],
  [1192, 0.16, 0.073],
  [1221, 0.149, 0.063],
  [1233, 0.142, 0.057],
] as const;

/**
 * @param up cosine of the zenith angle; nothing shines at or below 0
 * @param day of the year, 1 … 365
 */
export function clearSky(sky: DesignSky, month: number, day: number, up: number): ClearSky {
  if (up <= 0) return { direct: 0, diffuse: 0 };
  if (sky.model === "clear") {
    const [a, b, c] = ABC[month - 1] ?? ABC[6];
    const direct = sky.clearness * a * Math.exp(-b / up);
    return { direct, diffuse: direct * c };
  }
  return tauSky(sky.beamDepth, sky.diffuseDepth, day, up);
}

/** ASHRAE Fundamentals 2009, chapter 14, eq. 16–20. */
function tauSky(beam: number, diffuse: number, day: number, up: number): ClearSky {
  const altitude = Math.asin(up) * (180 / Math.PI);
  const airMass = 1 / (up + 0.50572 * (6.07995 + altitude) ** -1.6364); // Kasten and Young 1989
  const beamExponent = 1.219 - 0.043 * beam - 0.151 * diffuse - 0.204 * beam * diffuse;
  const diffuseExponent = 0.202 + 0.852 * beam - 0.007 * diffuse - 0.357 * beam * diffuse;
  const outside = extraterrestrialNormal(day);
  return {
    direct: outside * Math.exp(-beam * airMass ** beamExponent),
    diffuse: outside * Math.exp(-diffuse * airMass ** diffuseExponent),
  };
}
