import {
  copyFileSync,
  cpSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { calmTables, expectWhole, type Tables } from "./oracle.ts";
import { type Plan, Scene } from "./scene.ts";
import { CASES_MS, drawn, family, forEachCase, type Random, SEED } from "./seed.ts";

const PLAN: Plan = { specs: 48, flags: ["--chunk-size", "6", "--factor", "2", "--max-depth", "1"] };
const INLINE = ["--engine", "inline"];
const KEPT = { recursive: true, preserveTimestamps: true };

interface Kind {
  of: RegExp;
  /** How far the run is when it comes to harm: before its nodes are gathered, or before the root is. */
  at: "gathering" | "gathered";
  /** What the tree made is named and made anew; what came from outside is named, and nothing is finished without it. */
  outcome: "rebuilt" | "named" | "unharmed";
}

const KINDS: Record<string, Kind> = {
  part: { of: /\/parts\/.*\.pq$/, at: "gathering", outcome: "rebuilt" },
  "table of a part": { of: /\/output\/.*\/tables\/.*\.pq$/, at: "gathering", outcome: "rebuilt" },
  "node's specs": { of: /\/input\/recurse\/.*specs\.pq$/, at: "gathering", outcome: "rebuilt" },
  plan: { of: /\/waves\/.*\.json$/, at: "gathering", outcome: "rebuilt" },
  "gathered file": { of: /\/gathered\/.*\.pq$/, at: "gathered", outcome: "rebuilt" },
  "chunk's log": { of: /\/events\/.*\.json$/, at: "gathering", outcome: "unharmed" },
  "run's input file": { of: /\/artifacts\//, at: "gathered", outcome: "named" },
  "specs.pq": { of: /\/\d{4}-[\d_-]+\/specs\.pq$/, at: "gathering", outcome: "named" },
  "manifest.yml": { of: /\/manifest\.yml$/, at: "gathering", outcome: "named" },
  "state.yml": { of: /\/state\.yml$/, at: "gathering", outcome: "named" },
  "input_artifacts.yml": { of: /\/input_artifacts\.yml$/, at: "gathering", outcome: "named" },
};

family("truncation and bit flips", () => {
  const scene = new Scene();
  const backups = { gathering: join(scene.folder, "gathering"), gathered: join(scene.folder, "gathered") };
  let calm: Tables;
  let run: string;

  beforeAll(async () => {
    calm = await calmTables(PLAN);
    await driveUntil(scene, scene.runArgs(PLAN), "rename gathered");
    run = scene.runs()[0]!;
    cpSync(scene.storage, backups.gathering, KEPT);
    await driveUntil(scene, ["resume", run], "link final");
    cpSync(scene.storage, backups.gathered, KEPT);
  }, 120_000);
  afterAll(() => scene.remove());

  it.each(drawn(Object.entries(KINDS), 3))(
    "of a %s",
    async (name, kind) => {
      await forEachCase(`damage to a ${name}`, { short: 1, full: 2 }, async (random, index) => {
        const backup = backups[kind.at];
        restore(scene, backup);
        const file = random.pick(filesOf(scene.storage, kind.of));
        const how = (SEED + index) % 2 === 0 ? flip(file, random) : cut(file, random);
        await expectOutcome(scene, run, file.slice(scene.storage.length + 1), { kind, how, backup });
        return { injected: 1, ...(await expectWhole(scene, run, calm, PLAN)) };
      });
    },
    CASES_MS,
  );
});

async function expectOutcome(
  scene: Scene,
  run: string,
  name: string,
  { kind, how, backup }: { kind: Kind; how: string; backup: string },
): Promise<void> {
  const { code, stdout, stderr } = await scene.start(["resume", run, ...INLINE]).ended;
  const told = `${how}\n${stdout}${stderr}`;
  expect(told).not.toMatch(/\n\s+at .*\(?(file|node):/); // a stack trace
  if (kind.outcome === "rebuilt") expect(stderr, told).toContain(name);
  if (kind.outcome !== "named") return expect(code, told).toBe(3);
  expect(code, told).toBe(4);
  expect(stderr, told).toContain(name);
  expect(stderr, told).toContain("hint:");
  copyFileSync(join(backup, name), join(scene.storage, name)); // which is what the hint says to do
  const again = await scene.start(["resume", run, ...INLINE]).ended;
  expect(again.code, again.stderr).toBe(3);
}

function restore(scene: Scene, backup: string): void {
  rmSync(scene.storage, { recursive: true });
  cpSync(backup, scene.storage, KEPT);
}

/** Kills the process before its first step of a kind. */
async function driveUntil(scene: Scene, args: readonly string[], kind: string): Promise<void> {
  const { signal, stderr } = await scene.watched([...args, ...INLINE], { at: 1, kind, when: "before" }).ended;
  expect(signal, stderr).toBe("SIGKILL");
}

function filesOf(folder: string, kind: RegExp): string[] {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = entries.map((entry) => join(entry.parentPath, entry.name)).sort();
  const parts = paths.filter((path) => path.includes("/parts/")).map(rangeOf);
  // the tables of a part that was never put, because its writer was killed, are nobody's
  const isOfPart = (path: string) => !path.includes("/tables/") || parts.includes(rangeOf(path));
  return paths.filter((path) => kind.test(path) && isOfPart(path));
}

/** Node and positions of a part, or of a table of it. */
function rangeOf(path: string): string {
  const [, node, range] = /^(.*)\/(?:parts|tables\/[^/]+)\/(g\d+-\d+-\d+)\./.exec(path) ?? [];
  return `${node} ${range}`;
}

/** Harms the file; says how. */
function flip(file: string, random: Random): string {
  const bytes = readFileSync(file);
  const at = random.below(bytes.length);
  const bit = random.below(8);
  bytes[at] = bytes[at]! ^ (1 << bit);
  writeFileSync(file, bytes);
  return `bit ${bit} of byte ${at} of ${file} flipped`;
}

function cut(file: string, random: Random): string {
  const length = random.below(statSync(file).size);
  truncateSync(file, length);
  return `${file} cut to ${length} bytes`;
}
