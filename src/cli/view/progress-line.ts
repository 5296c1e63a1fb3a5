import type { Progress } from "../../index.ts";
import { messageLine } from "./cell-text.ts";
import { cut } from "./display-width.ts";
import type { Style } from "./style.ts";
import { countText, durationText, rateText } from "./units.ts";

export type ProgressCounts = Pick<
  Progress,
  "status" | "allocated" | "succeeded" | "failed" | "rate" | "eta" | "failures"
>;

const BAR = 28;

/** What a terminal shows of a run in progress: a bar with its numbers and, under it, the newest failure. */
export function progressBlock(progress: ProgressCounts, width: number, style: Style): string {
  const { failed, failures } = progress;
  const numbers = [counts(progress), percent(progress), ...pace(progress)];
  if (failed > 0) numbers.push(`${countText(failed)} failed`);
  const room = width - 4 - numbers.join("  ").length;
  const bar = room >= 8 ? `${barText(progress, Math.min(BAR, room), style)}  ` : "";
  const texts = numbers.map((text) => (text.endsWith("failed") ? style.red(text) : text));
  const lines = [`  ${bar}${texts.join("  ")}`];
  const newest = failures[0];
  if (newest) {
    const text = `spec ${newest.sortIndex}  ${newest.kind}  ${messageLine(newest.message)}`;
    lines.push(`  ${style.dim(cut(text, Math.max(20, width - 4)))}`);
  }
  return lines.join("\n");
}

/** Heavy for what is done, its failed share in red at the end; light for the rest. */
export function barText(
  { allocated, succeeded, failed }: Pick<ProgressCounts, "allocated" | "succeeded" | "failed">,
  width: number,
  style: Style,
): string {
  const share = allocated > 0 ? Math.min(1, (succeeded + failed) / allocated) : 0;
  const done = Math.floor(share * width);
  const red = failed === 0 ? 0 : Math.min(done, Math.max(1, Math.round((failed / allocated) * width)));
  return style.green("━".repeat(done - red)) + style.red("━".repeat(red)) + style.dim("─".repeat(width - done));
}

/** The same as one line, for a log. */
export function progressLine(progress: ProgressCounts): string {
  const { failed } = progress;
  const parts = [`${counts(progress)} specs (${percent(progress)})`, ...pace(progress)];
  return [...parts, `${countText(failed)} failed`].join(", ");
}

function counts({ allocated, succeeded, failed }: ProgressCounts): string {
  return `${countText(succeeded + failed)}/${countText(allocated)}`;
}

/** Never 100 % before the last spec. */
function percent({ allocated, succeeded, failed }: ProgressCounts): string {
  return allocated > 0 ? `${Math.floor((100 * (succeeded + failed)) / allocated)} %` : "0 %";
}

function pace({ status, allocated, succeeded, failed, rate, eta }: ProgressCounts): string[] {
  if (status === "paused") return ["paused"];
  if (rate <= 0) return [];
  const speed = `${rateText(rate)} specs/s`;
  const goesOn = status === "running" && allocated > succeeded + failed;
  return goesOn && eta !== undefined ? [speed, `${durationText(eta)} left`] : [speed];
}
