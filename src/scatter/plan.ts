import { ScytheError } from "../errors.ts";
import { type NodePath, type PartName, parsePart, parseWave, type RunLayout } from "../run/layout.ts";
import { listAll, type Storage } from "../storage/storage.ts";
import type { Wave } from "./chunks.ts";

/** The parts that a node has so far, of one generation, in order of position. */
export async function listParts(
  storage: Storage,
  layout: RunLayout,
  path: NodePath,
  generation: number,
): Promise<(PartName & { key: string })[]> {
  const keys = await listAll(storage, layout.parts(path));
  return keys
    .flatMap(({ key }) => {
      const part = parsePart(key);
      return part && part.generation === generation ? [{ ...part, key }] : [];
    })
    .sort((a, b) => a.from - b.from || b.to - a.to);
}

export interface RecordedWave extends Wave {
  number: number;
}

/** The newest wave that a node has planned, by whichever process. */
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
  return readWave(storage, layout.wave(path, generation, number), number);
}

/** Records a wave before it is dispatched. The first writer wins: what this returns is what was recorded. */
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
  const text = JSON.stringify({ epoch, box_ms: wave.boxMs, ranges });
  const { written } = await storage.put(key, text, { ifAbsent: true });
  return written ? { ...wave, number } : readWave(storage, key, number);
}

async function readWave(storage: Storage, key: string, number: number): Promise<RecordedWave> {
  const { body } = await storage.get(key);
  try {
    const record = JSON.parse(new TextDecoder().decode(body)) as { box_ms: number | null; ranges: [number, number][] };
    return { number, boxMs: record.box_ms, ranges: record.ranges.map(([from, to]) => ({ from, to })) };
  } catch (cause) {
    throw new ScytheError("storage", `The plan ${storage.uriOf(key)} is damaged`, {
      hint: "Delete that file and resume the run: its chunks are planned anew, what is done stays done.",
      cause,
    });
  }
}
