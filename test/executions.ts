import { existsSync, readFileSync } from "node:fs";
import { localStorage } from "../src/storage/local/local.ts";
import { collect } from "./collect.ts";

/** What the experiment `noted` of fixtures/durable has run, in order: it appends each spec's `n` to a file. */
export function executions(ledger: string): number[] {
  if (!existsSync(ledger)) return [];
  return readFileSync(ledger, "utf8").split("\n").filter(Boolean).map(Number);
}

/** The positions of the specs that have a part by now, in a run without child nodes. */
export async function withPart(storage: string, experimentId: string): Promise<Set<number>> {
  const objects = await collect(localStorage(storage).list(`${experimentId}/scatter-gather/output/`));
  const positions = objects.flatMap(({ key }) => {
    const match = /g\d+-(\d+)-(\d+)\.\d+-\d+\.pq$/.exec(key);
    const [from, to] = match ? [Number(match[1]), Number(match[2])] : [0, 0];
    return Array.from({ length: to - from }, (_, i) => from + i);
  });
  return new Set(positions);
}
