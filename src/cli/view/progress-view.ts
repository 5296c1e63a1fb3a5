import type { Run } from "../../index.ts";
import { note } from "../output.ts";
import { plainText } from "./plain-text.ts";
import { progressBlock, progressLine } from "./progress-line.ts";
import { styleFor } from "./style.ts";

/** Listings of a bucket cost money, those of a folder next to nothing. */
const LOCAL_MS = 250;
const REMOTE_MS = 1_000;
/** Between the lines of a log. */
const LINE_MS = 5_000;

/** A run's progress on stderr: a bar on a terminal, else a line now and then. */
export interface ProgressView {
  /** Shows it until the run has ended, however it ends. */
  follow(run: Run): Promise<void>;
  /** A line that stays, above the bar if there is one. */
  say(line: string): void;
}

export async function progressView(): Promise<ProgressView> {
  return process.stderr.isTTY ? barView() : { follow: followByLines, say: note };
}

async function barView(): Promise<ProgressView> {
  const { createLogUpdate } = await import("log-update");
  const draw = createLogUpdate(process.stderr);
  const style = styleFor(process.stderr);
  return {
    say: (line) => draw.persist(plainText(line)),
    follow: async (run) => {
      const intervalMs = run.uri.startsWith("file:") ? LOCAL_MS : REMOTE_MS;
      try {
        for await (const progress of run.progress({ intervalMs })) {
          draw(plainText(progressBlock(progress, process.stderr.columns || 80, style)));
        }
      } finally {
        draw.clear(); // the summary says it all
        draw.done();
      }
    },
  };
}

async function followByLines(run: Run): Promise<void> {
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
