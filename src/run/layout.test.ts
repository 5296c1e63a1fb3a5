import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { withDuckDb } from "../table/duckdb.ts";
import {
  dateOfTimestamp,
  experimentId,
  isTimestamp,
  type NodePath,
  parseEvent,
  parseExperimentId,
  parsePart,
  parseWave,
  RunLayout,
  timestampOf,
} from "./layout.ts";
import { specRunId, specRunIdSql } from "./spec-run-id.ts";

const ID = { name: "study", version: "v1.0.0", timestamp: "2026-01-02_03-04-05" };
const layout = new RunLayout(ID);

const paths: fc.Arbitrary<NodePath> = fc.array(
  fc
    .integer({ min: 1, max: 10_000 })
    .chain((factor) => fc.record({ factor: fc.constant(factor), offset: fc.nat(factor - 1) })),
  { maxLength: 10 },
);
const positions = fc.nat(1_000_000_000);
const parts = fc.record({
  generation: fc.nat(9_999),
  from: positions,
  to: positions,
  ok: positions,
  failed: positions,
});

describe("keys of a run", () => {
  it("of parts say what they were made from, at any node", () => {
    fc.assert(
      fc.property(paths, parts, (path, part) => {
        expect(parsePart(layout.part(path, part))).toEqual(part);
      }),
    );
  });

  it("of waves do too", () => {
    fc.assert(
      fc.property(paths, fc.nat(9_999), fc.nat(999_999), (path, generation, wave) => {
        expect(parseWave(layout.wave(path, generation, wave))).toEqual({ generation, wave });
      }),
    );
  });

  it("of parts sort by generation, then position", () => {
    fc.assert(
      fc.property(paths, fc.array(parts, { maxLength: 20 }), (path, all) => {
        const byKey = [...all].sort((a, b) => (layout.part(path, a) < layout.part(path, b) ? -1 : 1));
        const order = (part: (typeof all)[number]) => [part.generation, part.from, part.to];
        const byPosition = [...all].sort((a, b) => a.generation - b.generation || a.from - b.from || a.to - b.to);
        expect(byKey.map(order)).toEqual(byPosition.map(order));
      }),
    );
  });

  it("need no escaping in a URL, and fit S3", () => {
    fc.assert(
      fc.property(paths, parts, fc.nat(999_999), (path, part, wave) => {
        const keys = [
          layout.part(path, part),
          layout.partTable(path, part, "monthly", "a1b2c3d4"),
          layout.wave(path, part.generation, wave),
          layout.nodeSpecs(path, part.generation),
          layout.gathered(path, part.generation),
          layout.gatheredTable(path, part.generation, "monthly", "a1b2c3d4"),
          layout.controlOf(wave, "cancel-now"),
          layout.retriedSpecs(part.generation, "a1b2c3d4"),
          layout.history(part.generation, "errors.pq"),
          layout.event(path, part),
        ];
        for (const key of keys) {
          expect(key).toMatch(/^[A-Za-z0-9_./-]+$/);
          expect(new URL(`https://bucket.example/${key}`).pathname).toBe(`/${key}`);
          expect(key.length).toBeLessThan(512);
          expect(key.startsWith(`${layout.experimentId}/`)).toBe(true);
        }
      }),
    );
  });

  it("of two nodes differ, and a listing of one's parts finds no other's", () => {
    fc.assert(
      fc.property(paths, paths, parts, (a, b, part) => {
        fc.pre(JSON.stringify(a.map((s) => s.offset)) !== JSON.stringify(b.map((s) => s.offset)));
        expect(layout.part(a, part).startsWith(layout.parts(b))).toBe(false);
        expect(layout.wave(a, 0, 0).startsWith(layout.waves(b))).toBe(false);
        expect(layout.nodeSpecs(a, part.generation)).not.toBe(layout.nodeSpecs(b, part.generation));
        expect(layout.nodeSpecs(a, part.generation)).not.toBe(layout.nodeSpecs(a, part.generation + 1));
        expect(parseEvent(layout.event(a, part))).toEqual({ generation: part.generation, early: false });
        expect(parseEvent(layout.event(a, part, "0a1b2c3d"))).toEqual({ generation: part.generation, early: true });
      }),
    );
  });

  it("keep the tree's own files under scatter-gather, the rest where Python Scythe looks", () => {
    const path = [{ factor: 3, offset: 1 }];
    const range = { generation: 0, from: 0, to: 9 };
    for (const key of [layout.parts(path), layout.waves(path), layout.event(path, range), layout.control]) {
      expect(key).toMatch(/^study\/v1\.0\.0\/2026-01-02_03-04-05\/scatter-gather\/(input|output|events|control)\//);
    }
    expect(layout.manifest).toBe("study/v1.0.0/2026-01-02_03-04-05/manifest.yml");
    expect(layout.finalTable("scalars")).toBe(`${layout.final}scalars.pq`);
  });

  it("of other things are no parts and no waves", () => {
    const part = { generation: 1, from: 2, to: 3, ok: 1, failed: 0 };
    expect(parsePart(layout.partTable([], part, "parts", "abc"))).toBeUndefined();
    expect(parsePart(layout.wave([], 0, 0))).toBeUndefined();
    expect(parsePart(`${layout.part([], part)}.part`)).toBeUndefined();
    expect(parseWave(layout.part([], part))).toBeUndefined();
  });
});

describe("experiment ids and timestamps", () => {
  it("go back and forth", () => {
    expect(parseExperimentId(experimentId(ID))).toEqual(ID);
    expect(parseExperimentId(`${experimentId(ID)}/`)).toEqual(ID);
    for (const text of ["study", "study/v1", "study/v1/now", `a/${experimentId(ID)}`, `${experimentId(ID)}/x`, ""]) {
      expect(parseExperimentId(text), text).toBeUndefined();
    }
  });

  it("are in UTC, to the second, and sort by time", () => {
    const dates = fc.date({ min: new Date("1970-01-01"), max: new Date("9999-12-31"), noInvalidDate: true });
    fc.assert(
      fc.property(dates, dates, (a, b) => {
        expect(isTimestamp(timestampOf(a))).toBe(true);
        expect(dateOfTimestamp(timestampOf(a)).getTime()).toBe(Math.floor(a.getTime() / 1000) * 1000);
        if (a < b) expect(timestampOf(a) <= timestampOf(b)).toBe(true);
      }),
    );
    expect(timestampOf(new Date("2026-01-02T03:04:05.999Z"))).toBe("2026-01-02_03-04-05");
  });
});

describe("ids of a spec's own run", () => {
  const root = "01234567-89ab-4cde-8f01-23456789abcd";

  it("are UUIDs that differ by sort_index alone", () => {
    const indexes = fc.nat(Number.MAX_SAFE_INTEGER).map((i) => i % 2 ** 48);
    fc.assert(
      fc.property(indexes, indexes, (a, b) => {
        expect(specRunId(root, a)).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
        expect(specRunId(root, a) === specRunId(root, b)).toBe(a === b);
      }),
    );
  });

  it("are the same from SQL", async () => {
    const indexes = [0, 1, 15, 16, 255, 2 ** 31, 2 ** 32 + 7, 2 ** 48 - 1];
    const values = indexes.map((i) => `(${i}::DOUBLE)`).join(", ");
    const sql = `SELECT ${specRunIdSql(root)} AS id FROM (VALUES ${values}) AS t(sort_index)`;
    const rows = await withDuckDb({}, 1, (duck) => duck.rows(sql));
    expect(rows.map(({ id }) => id)).toEqual(indexes.map((i) => specRunId(root, i)));
  });
});

it("an id of a run that a manifest made up is a text in SQL and nothing else", async () => {
  const made = "'); COPY (SELECT 1) TO 'x'; --%s%n";
  const [row] = await withDuckDb({}, 1, (duck) =>
    duck.rows(`SELECT ${specRunIdSql(made)} AS id FROM (SELECT 26 AS sort_index)`),
  );
  expect(row).toEqual({ id: specRunId(made, 26) });
});
