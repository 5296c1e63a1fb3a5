/**
 * The five-resistance, one-capacitance network of ISO 13790:2008, annex C: air, surface and mass node; outdoors reaches
 * air through ventilation, the surface node through windows, the mass through opaque elements. One hour is one
 * Crank–Nicolson step, so heat is conserved to rounding.
 */
import type { Envelope } from "./building.ts";

/** What drives one hour. One object is reused for all hours. */
export interface HourLoad {
  /** θ_e, also the supply temperature θ_sup [degC] */
  outdoor: number;
  /** H_ve [W/K] */
  hVe: number;
  /** Φ_ia, Φ_st, Φ_m [W] */
  toAir: number;
  toSurface: number;
  toMass: number;
}

/** Splits gains over the three nodes; eq. C.1–C.3. @returns what leaves at once through the windows [W] */
export function distributeGains(envelope: Envelope, internal: number, solar: number, load: HourLoad): number {
  const rest = 0.5 * internal + solar;
  const massShare = envelope.massArea / envelope.totalArea;
  const windowShare = envelope.hW / (9.1 * envelope.totalArea);
  load.toAir = 0.5 * internal;
  load.toMass = massShare * rest;
  load.toSurface = (1 - massShare - windowShare) * rest;
  return windowShare * rest;
}

export class RcNetwork {
  /** θ_m at the end of the last committed hour [degC] */
  massTemperature: number;
  /** θ_air, θ_s: means of the hour last solved [degC] */
  airTemperature = 0;
  surfaceTemperature = 0;
  /** θ_m: mean and end of the hour last solved [degC] */
  meanMassTemperature = 0;
  nextMassTemperature = 0;

  private readonly envelope: Envelope;

  constructor(envelope: Envelope, startTemperature: number) {
    this.envelope = envelope;
    this.massTemperature = startTemperature;
  }

  /** Temperatures of an hour with `plantHeat` [W] into the air node (negative: cooling); eq. C.4–C.11. @returns θ_air */
  solve(load: HourLoad, plantHeat: number): number {
    const { hEm, hW, hMs, hIs, cM } = this.envelope;
    const { outdoor, hVe } = load;
    const h1 = (hVe * hIs) / (hVe + hIs); // C.6, written so that hVe = 0 is allowed
    const h2 = h1 + hW; // C.7
    const h3 = (h2 * hMs) / (h2 + hMs); // C.8
    const airDrive = (hIs / (hVe + hIs)) * (load.toAir + plantHeat) + h1 * outdoor; // h1 · ((Φ_ia + Φ_HC)/H_ve + θ_sup)
    const toMass = load.toMass + hEm * outdoor + (h3 / h2) * (load.toSurface + hW * outdoor + airDrive); // C.5
    const inertia = cM / 3600;
    const half = 0.5 * (h3 + hEm);
    this.nextMassTemperature = (this.massTemperature * (inertia - half) + toMass) / (inertia + half); // C.4
    this.meanMassTemperature = 0.5 * (this.massTemperature + this.nextMassTemperature); // C.9
    this.surfaceTemperature =
      (hMs * this.meanMassTemperature + load.toSurface + hW * outdoor + airDrive) / (hMs + hW + h1); // C.10
    this.airTemperature = (hIs * this.surfaceTemperature + hVe * outdoor + load.toAir + plantHeat) / (hIs + hVe); // C.11
    return this.airTemperature;
  }

  /**
   * The plant heat that brings the air to `target` [W; negative: cooling]: step 2 of annex C.4.2, by linear interpolation
   * between the free-floating hour and one with 10 W/m2.
   * @param freeFloating θ_air,0 of `solve(load, 0)`
   * @param trial Φ_HC,nd10 [W]
   */
  needFor(target: number, load: HourLoad, freeFloating: number, trial: number): number {
    const withTrial = this.solve(load, trial);
    return (trial * (target - freeFloating)) / (withTrial - freeFloating); // C.13
  }

  /** Takes the hour last solved as what happened. */
  commit(): void {
    this.massTemperature = this.nextMassTemperature;
  }
}
