import { readFileSync } from "node:fs";
import { parse } from "csv-parse/sync";
import { expect, test } from "vitest";
import { assertOrbit, type Elements, propagate } from "./orbit.ts";
import { isSunSynchronous, orbitClass } from "./orbit-class.ts";

type Satellite = Elements & { name: string; norad_id: number; epoch: string };
const satellites: Satellite[] = parse(readFileSync(new URL("satellites.csv", import.meta.url)), {
  columns: true,
  cast: (value, { header, column }) => (header || column === "name" || column === "epoch" ? value : Number(value)),
});
const byName = (name: string) => satellites.find((satellite) => satellite.name.startsWith(name)) as Satellite;

test("there are 40 different satellites, none of them inside the Earth", () => {
  expect(new Set(satellites.map((satellite) => satellite.norad_id)).size).toBe(40);
  for (const satellite of satellites) {
    assertOrbit(satellite);
    expect(Number.isNaN(Date.parse(satellite.epoch))).toBe(false);
  }
});

test.each([
  ["ISS", 92.9, 0.1],
  ["GPS NAVSTAR 43", 718, 0.2],
  ["Meteosat-11", 1436.1, 0.1],
  ["LAGEOS 1", 225.5, 0.1],
])("%s has its published period", (name, minutes, tolerance) => {
  expect(Math.abs(propagate(byName(name)).period_min - minutes)).toBeLessThan(tolerance);
});

test.each([
  ["ISS", "LEO"],
  ["Galileo 12", "MEO"],
  ["LAGEOS 1", "MEO"],
  ["Meteosat-11", "GEO"],
  ["IRNSS-1E", "GEO"],
  ["Cosmos 2510", "HEO"],
  ["INTEGRAL", "HEO"],
])("%s is in %s", (name, expected) => {
  expect(orbitClass(byName(name))).toBe(expected);
});

test("Earth observers are sun-synchronous, others are not", () => {
  const names = satellites.filter(isSunSynchronous).map((satellite) => satellite.name);
  expect(names).toEqual(expect.arrayContaining(["Terra", "Aqua", "Sentinel-3A"]));
  for (const name of ["ISS (Zarya)", "Jason-3", "LAGEOS 1", "OneWeb-0013"]) expect(names).not.toContain(name);
});
