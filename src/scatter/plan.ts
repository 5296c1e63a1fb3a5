import { ScytheError } from "../errors.ts";
import { type NodePath, type PartName, parsePart, parseWave, type RunLayout } from "../run/layout.ts";
import { hashOf } from "../schema/json-schema.ts";
import { listAll, type Storage } from "../storage/storage.ts";
import type { Wave } from "./chunks.ts";

/** The parts of a node so far, of one generation, in order of position. */
export async function listParts(
  storage: Storage,
  layout: RunLayout,
  path: NodePath,
  generation: number,
): Promise<(PartName & { key: string; size: number })[]> {
  const keys = await listAll(storage, layout.parts(path));
  return keys
    .flatMap(({ key, size }) => {
      const part = parsePart(key);
      return part && part.generation === generation ? [{ ...part, key, size }] : [];
    })
    .sort((a, b) => a.from - b.from || b.to - a.to);
}

export interface RecordedWave extends Wave {
  number: number;
}

/** The newest wave that any process planned for a node. A damaged one counts, but has no ranges. */
export async function latestWave(
  storage: Storage,
  layout: RunLayout,
  path: NodePath,
  generation: number,
): Promise<RecordedWave | undefined> {
  const keys = await listAll(storage, layout.waves(path));
  const numbers = keys.flatMap(({ key }) => {
    const wave = parseWave(key);
    return wave && wave.generation === generation ? [wave.wave] : [];
  });
  if (numbers.length === 0) return undefined;
  const number = Math.max(...numbers);
  const key = layout.wave(path, generation, number);
  const wave = await readWave(storage, key, number);
  if (wave) return wave;
  process.emitWarning(`${storage.uriOf(key)} is damaged; what of it has no part is planned again`, "ScytheWarning");
  return { number, timeBudgetMs: null, ranges: [] };
}

/** Records a wave before it is dispatched. The first writer wins; returns the wave that was recorded. */
export async function recordWave(
  storage: Storage,
  layout: RunLayout,
  path: NodePath,
  generation: number,
  number: number,
  wave: Wave,
  epoch: number,
): Promise<RecordedWave> {
  const key = layout.wave(path, generation, number);
  const ranges = wave.ranges.map(({ from, to }) => [from, to]);
  const record: WaveRecord = { epoch, box_ms: wave.timeBudgetMs, ranges };
  const { written } = await storage.put(key, JSON.stringify({ ...record, sha256: hashOf(record) }), { ifAbsent: true });
  const recorded = written ? { ...wave, number } : await readWave(storage, key, number);
  if (recorded) return recorded;
  throw new ScytheError("storage", `The plan ${storage.uriOf(key)} is damaged`, {
    hint: "Resume the run: its chunks are planned again, what is done stays done.",
  });
}

interface WaveRecord {
  epoch: number;
  box_ms: number | null;
  ranges: number[][];
}

/** Undefined for a damaged plan: the existing parts decide, not the plan. */
async function readWave(storage: Storage, key: string, number: number): Promise<RecordedWave | undefined> {
  const { body } = await storage.get(key);
  try {
    const { sha256, ...record } = JSON.parse(new TextDecoder().decode(body)) as WaveRecord & { sha256: string };
    if (sha256 !== hashOf(record)) return undefined;
    return {
      number,
      timeBudgetMs: record.box_ms,
      ranges: record.ranges.map(([from, to]) => ({ from: from!, to: to! })),
    };
  } catch {
    return undefined;
  }
}
