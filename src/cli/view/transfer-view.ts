import { bytesText } from "../../bytes-text.ts";
import { isScytheError } from "../../errors.ts";
import type { CopyOptions, TransferProgress } from "../../index.ts";
import { EXIT } from "../exit.ts";
import { untilInterrupted } from "../interrupt.ts";
import { note, print } from "../output.ts";
import { messageLine } from "./cell-text.ts";
import { pad } from "./display-width.ts";
import { plainText } from "./plain-text.ts";
import { barText } from "./progress-line.ts";
import { type Style, styleFor } from "./style.ts";
import { countText, durationText, plural } from "./units.ts";

const DRAW_MS = 100;
/** Between the lines of a log. */
const LINE_MS = 5_000;
const BAR = 28;
const LABEL = 10;

/**
 * Shows a transfer's progress on stderr, then its outcome; a signal lets the files in progress arrive, then stops.
 * Returns the exit code.
 */
export async function whileTransferring<T>(
  { json = false }: { json?: boolean },
  work: (options: Required<Pick<CopyOptions, "signal" | "onProgress">>) => Promise<T>,
  summarize: (outcome: T) => Promise<void>,
): Promise<number> {
  const stop = new AbortController();
  const view = await transferView();
  const watch = untilInterrupted(() => {
    stop.abort();
    view.say("stopping when the files in progress are complete; press Ctrl-C again to quit at once");
  });
  try {
    const options = { signal: stop.signal, onProgress: (progress: TransferProgress) => view.show(progress) };
    await summarize(await work(options).finally(() => view.end()));
    return EXIT.ok;
  } catch (error) {
    if (!watch.interrupted || !isScytheError(error) || error.code !== "cancelled") throw error;
    const { errorJson } = await import("./error-text.ts");
    if (json) await print(`${JSON.stringify(errorJson(error), null, 2)}\n`);
    note(`${error.message}. ${error.hint}`);
    return EXIT.interrupted;
  } finally {
    watch.stop();
  }
}

/** Names the files in the run's folder that are not part of it and were left out. */
export function noteLeftOut(names: readonly string[]): void {
  if (names.length === 0) return;
  const shown = names.slice(0, 5).map(messageLine).join(", ");
  note(`left out, as no part of a run: ${shown}${names.length > 5 ? ` and ${countText(names.length - 5)} more` : ""}`);
}

interface TransferView {
  show(progress: TransferProgress): void;
  /** A line that stays. */
  say(line: string): void;
  end(): void;
}

async function transferView(): Promise<TransferView> {
  const began = performance.now();
  const seconds = () => (performance.now() - began) / 1000;
  if (!process.stderr.isTTY) return logView(seconds);
  const { createLogUpdate } = await import("log-update");
  const draw = createLogUpdate(process.stderr);
  const style = styleFor(process.stderr);
  let drawnAt = 0;
  return {
    show: (progress) => {
      if (performance.now() - drawnAt < DRAW_MS) return;
      drawnAt = performance.now();
      draw(plainText(transferBar(progress, seconds(), process.stderr.columns || 80, style)));
    },
    say: (line) => draw.persist(plainText(line)),
    end: () => {
      draw.clear(); // the summary says it all
      draw.done();
    },
  };
}

/** A line now and then, and a last one. */
function logView(seconds: () => number): TransferView {
  let last = "";
  let toldAt = Date.now();
  return {
    show: (progress) => {
      last = transferLine(progress, seconds());
      if (Date.now() - toldAt < LINE_MS) return;
      note(last);
      toldAt = Date.now();
      last = "";
    },
    say: note,
    end: () => {
      if (last) note(last);
    },
  };
}

/** What a terminal shows: a bar by bytes, with its numbers. */
export function transferBar(progress: TransferProgress, seconds: number, width: number, style: Style): string {
  const { files, bytes, totalFiles, totalBytes } = progress;
  const numbers = [
    `${countText(files)}/${countText(totalFiles)}`,
    ofText(bytes, totalBytes),
    ...pace(progress, seconds),
  ];
  const room = width - 4 - numbers.join("  ").length;
  const done = { allocated: totalBytes, succeeded: bytes, failed: 0 };
  const bar = room >= 8 ? `${barText(done, Math.min(BAR, room), style)}  ` : "";
  return `  ${bar}${numbers.join("  ")}`;
}

/** The same as one line, for a log. */
export function transferLine(progress: TransferProgress, seconds: number): string {
  const { files, bytes, totalFiles, totalBytes } = progress;
  const count = `${countText(files)}/${countText(totalFiles)} files`;
  return [count, ofText(bytes, totalBytes), ...pace(progress, seconds)].join(", ");
}

function ofText(bytes: number, total: number): string {
  return `${bytesText(bytes)} of ${bytesText(total)}`;
}

function pace({ bytes, totalBytes }: TransferProgress, seconds: number): string[] {
  if (seconds < 1 || bytes === 0) return [];
  const rate = bytes / seconds;
  const left = bytes < totalBytes ? [`${durationText((totalBytes - bytes) / rate)} left`] : [];
  return [`${bytesText(Math.round(rate))}/s`, ...left];
}

/** How much was transferred, where it is, and what to type next. */
export function transferSummary(
  { files, bytes, skipped }: TransferProgress,
  place: string,
  next: string,
  style: Style,
): string {
  const label = (name: string, text: string) => `  ${style.dim(pad(name, LABEL))}${text}`;
  const known = skipped === files ? "all" : countText(skipped);
  const before = skipped > 0 ? `; ${known} of them were there already` : "";
  return [
    `${style.green("✓")} ${plural(files, "file")}, ${bytesText(bytes)}${before}`,
    label("in", place),
    label("next", style.cyan(next)),
  ].join("\n");
}
