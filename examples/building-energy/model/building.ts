/**
 * The office: its shape, constructions, loads and plant, and the ISO 13790:2008 quantities that follow from them. Areas
 * and size are those of the DOE Commercial Reference small office (Deru et al. 2011): one storey, 27.7 m × 18.4 m, 21 %
 * windows, here the same on all four sides.
 */

/** The surfaces that see the sun, in the order of every array of five in this model. */
export const SURFACES = ["north", "east", "south", "west", "roof"] as const;
export type Surface = (typeof SURFACES)[number];

/** [deg]; as `Plane` of solar.ts */
export const SURFACE_PLANES = [
  { tilt: 90, azimuth: 0 },
  { tilt: 90, azimuth: 90 },
  { tilt: 90, azimuth: 180 },
  { tilt: 90, azimuth: 270 },
  { tilt: 0, azimuth: 0 },
] as const;

export interface BuildingDesign {
  /** [m2] */
  floorArea: number;
  /** [m3] */
  volume: number;
  /** opaque area of each surface [m2] */
  opaqueArea: Record<Surface, number>;
  /** window area with frames [m2] */
  windowArea: Record<Surface, number>;
  /** thermal resistance of the roof's layers [m2K/W] */
  roofResistance: number;
  /** U-value to the ground times the reduction factor b_tr (ISO 13790, 8.3) [W/m2K] */
  floorConductance: number;
  /** [W/m2K] */
  windowConductance: number;
  /** g-value at normal incidence × F_w 0.9 × (1 − frame share) × shading factor: solar gain per window area */
  windowSolarFactor: number;
  /** solar absorptance of opaque surfaces */
  absorptance: number;
  /** C_m/A_f [J/m2K] and A_m/A_f [-]; ISO 13790 table 12 */
  heatCapacity: number;
  massAreaRatio: number;
  /** [1/h] */
  infiltration: number;
  /** [people/m2] */
  peopleDensity: number;
  /** [W/person] */
  sensibleHeat: number;
  latentHeat: number;
  /** [W/m2] */
  equipmentDensity: number;
  /** outdoor air while the fans run [m3/s per m2 floor] */
  outdoorAir: number;
  /** largest supply airflow [m3/s per m2 floor] */
  supplyAir: number;
  /** electric power of the fans at the largest supply airflow [W per m3/s] */
  fanPower: number;
}

const LONG = 27.7;
const SHORT = 18.4;
const HEIGHT = 3.05;
const WINDOW_SHARE = 0.21;
const FLOOR = LONG * SHORT;

function perSurface(share: number, roof: number): Record<Surface, number> {
  const [long, short] = [LONG * HEIGHT * share, SHORT * HEIGHT * share];
  return { north: long, east: short, south: long, west: short, roof };
}

export const SMALL_OFFICE: BuildingDesign = {
  floorArea: FLOOR,
  volume: FLOOR * HEIGHT,
  opaqueArea: perSurface(1 - WINDOW_SHARE, FLOOR),
  windowArea: perSurface(WINDOW_SHARE, 0),
  roofResistance: 4.4,
  floorConductance: 0.5 * 0.5,
  windowConductance: 2.4,
  windowSolarFactor: 0.4 * 0.9 * (1 - 0.2) * 0.9,
  absorptance: 0.6,
  heatCapacity: 165_000, // class "medium"
  massAreaRatio: 2.5,
  infiltration: 0.2,
  peopleDensity: 0.05,
  sensibleHeat: 75, // ASHRAE Fundamentals 2017, 18, table 1: moderately active office work
  latentHeat: 55,
  equipmentDensity: 8,
  outdoorAir: 0.0025 * 0.05 + 0.0003, // ASHRAE 62.1-2019 table 6-1: 2.5 L/s a person and 0.3 L/s a m2
  supplyAir: 0.005,
  fanPower: 1000,
};

/** Heat transfer coefficients [W/K] and effective areas of the whole building, as ISO 13790 names them. */
export interface Envelope {
  /** H_tr,em: opaque elements, outdoors to mass */
  hEm: number;
  /** H_tr,w: windows */
  hW: number;
  /** H_tr,ms: mass to surfaces */
  hMs: number;
  /** H_tr,is: surfaces to air */
  hIs: number;
  /** C_m [J/K] */
  cM: number;
  /** A_m and A_t [m2] */
  massArea: number;
  totalArea: number;
  /** effective solar collecting area of each of {@link SURFACES} [m2] */
  apertures: Float64Array;
  /** long-wave loss to the sky [W] */
  skyLoss: number;
}

/** Surface resistances [m2K/W], ISO 6946 table 1, horizontal heat flow (used for the roof as well). */
const R_INSIDE = 0.13;
const R_OUTSIDE = 0.04;
/** h_is and h_ms [W/m2K] and A_t/A_f: ISO 13790, 7.2.2.2 and 12.2.2 */
const H_IS = 3.45;
const H_MS = 9.1;
const TOTAL_AREA_RATIO = 4.5;
/** h_r · Δθ_er: 5 W/m2K × emissivity 0.9 × 11 K; ISO 13790, 11.4.6, intermediate climates [W/m2] */
const SKY_RADIATION = 5 * 0.9 * 11;

/** U-value [W/m2K] of a wall or roof whose layers have this resistance [m2K/W]; finite at 0 thanks to the air films. */
export function uValue(resistance: number): number {
  return 1 / (R_INSIDE + resistance + R_OUTSIDE);
}

/**
 * The envelope of a building with walls of a given resistance.
 * @param wallResistance of the layers of the wall, without air films [m2K/W], from 0
 * @throws RangeError for a resistance that is no number from 0, or an envelope that leaks more than its mass conducts
 */
export function envelopeOf(design: BuildingDesign, wallResistance: number): Envelope {
  if (!(wallResistance >= 0)) throw new RangeError(`A wall's R-value is a number from 0, not ${wallResistance}`);
  const massArea = design.massAreaRatio * design.floorArea;
  const hMs = H_MS * massArea;
  const apertures = new Float64Array(SURFACES.length);
  let opaque = design.floorConductance * design.floorArea;
  let windows = 0;
  let skyLoss = 0;
  SURFACES.forEach((surface, index) => {
    const u = uValue(surface === "roof" ? design.roofResistance : wallResistance);
    const opaqueConductance = u * design.opaqueArea[surface];
    const windowConductance = design.windowConductance * design.windowArea[surface];
    const viewOfSky = surface === "roof" ? 1 : 0.5;
    opaque += opaqueConductance;
    windows += windowConductance;
    skyLoss += viewOfSky * R_OUTSIDE * (opaqueConductance + windowConductance) * SKY_RADIATION; // eq. 46
    apertures[index] =
      design.windowSolarFactor * design.windowArea[surface] + design.absorptance * R_OUTSIDE * opaqueConductance; // eq. 44, 45
  });
  if (opaque >= hMs)
    throw new RangeError("The opaque envelope conducts more than the mass: H_op must be below H_tr,ms");
  return {
    hEm: 1 / (1 / opaque - 1 / hMs), // eq. 63
    hW: windows,
    hMs,
    hIs: H_IS * TOTAL_AREA_RATIO * design.floorArea,
    cM: design.heatCapacity * design.floorArea,
    massArea,
    totalArea: TOTAL_AREA_RATIO * design.floorArea,
    apertures,
    skyLoss,
  };
}
