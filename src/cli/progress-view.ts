import type { Run } from "../study/run.ts";
import { note } from "./output.ts";
import { progressBlock, progressLine } from "./progress-line.ts";
import { styleFor } from "./style.ts";

/** Listings of a bucket cost money, those of a folder next to nothing. */
const LOCAL_MS = 250;
const REMOTE_MS = 1_000;
/** Between the lines of a log. */
const LINE_MS = 5_000;

/** Shows a run's progress on stderr until the run has ended: a bar on a terminal, else a line now and then. */
export function showProgress(run: Run): Promise<void> {
  return process.stderr.isTTY ? showBar(run) : showLines(run);
}

async function showBar(run: Run): Promise<void> {
  const { createLogUpdate } = await import("log-update");
  const draw = createLogUpdate(process.stderr);
  const style = styleFor(process.stderr);
  try {
    for await (const progress of run.progress({ intervalMs: run.uri.startsWith("file:") ? LOCAL_MS : REMOTE_MS })) {
      draw(progressBlock(progress, process.stderr.columns || 80, style));
    }
  } finally {
    draw.clear(); // the summary says it all
    draw.done();
  }
}

async function showLines(run: Run): Promise<void> {
  let last = "";
  let toldAt = Date.now();
  for await (const progress of run.progress({ intervalMs: LINE_MS })) {
    last = progressLine(progress);
    if (Date.now() - toldAt < LINE_MS - 100) continue;
    note(last);
    toldAt = Date.now();
    last = "";
  }
  if (last) note(last);
}
