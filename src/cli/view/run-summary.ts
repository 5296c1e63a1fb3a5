import { fileURLToPath } from "node:url";
import type { RunOutcome } from "../../index.ts";
import { messageLine } from "./cell-text.ts";
import { cut, pad } from "./display-width.ts";
import type { Style } from "./style.ts";
import { countText, durationText, plural } from "./units.ts";

interface View {
  style: Style;
  width: number;
}

const LABEL = 10;

/** What a person wants to know at the end of a run, and what to type next. */
export function runSummary(outcome: RunOutcome, view: View): string {
  const { style } = view;
  const label = (name: string, text: string) => `  ${style.dim(pad(name, LABEL))}${text}`;
  const lines = [headline(outcome, style)];
  if (outcome.failures.length > 0) lines.push(...failureLines(outcome, view));
  if (outcome.status === "complete") {
    const rows = outcome.tables.map(({ name, rows }) => `${name} ${countText(rows)}`).join(style.dim(" · "));
    lines.push(label("tables", placeOf(`${outcome.uri}/final`)), label("rows", rows));
  } else {
    if (outcome.reason) lines.push(label("why", outcome.reason));
    lines.push(label("kept", placeOf(outcome.uri)));
  }
  const id = outcome.experiment_id;
  const resume = `scythe resume ${id}${outcome.reason ? " --max-failures 100%" : ""}`;
  const next = outcome.status === "complete" ? [`scythe results ${id}`] : [resume, `scythe show ${id}`];
  if (outcome.failed > 0) next.unshift(`scythe errors ${id}`);
  lines.push(...next.map((command, i) => label(i === 0 ? "next" : "", style.cyan(command))));
  return lines.join("\n");
}

function headline(outcome: RunOutcome, style: Style): string {
  if (outcome.retried) return retryHeadline(outcome, outcome.retried, style);
  const { status, allocated, succeeded, failed, missing, seconds } = outcome;
  const time = seconds === null ? "" : ` in ${durationText(seconds)}`;
  if (status === "cancelled") {
    const done = `${countText(succeeded + failed)} of ${plural(allocated, "spec")} done`;
    const bad = failed > 0 ? `, ${countText(failed)} of them failed` : "";
    return `${style.yellow("■")} stopped: ${done}${bad}; ${countText(missing)} not run`;
  }
  if (failed === 0) return `${style.green("✓")} ${plural(succeeded, "spec")} succeeded${time}`;
  return `${style.red("✗")} ${countText(failed)} of ${plural(allocated, "spec")} failed, ${countText(succeeded)} succeeded${time}`;
}

function retryHeadline(
  { status, allocated, succeeded }: RunOutcome,
  retried: NonNullable<RunOutcome["retried"]>,
  style: Style,
): string {
  const specs = plural(retried.specs, "spec");
  if (status === "cancelled") {
    const done = countText(retried.succeeded + retried.failed);
    return `${style.yellow("■")} stopped: ${done} of ${specs} done again; the tables are as before`;
  }
  const all = `${countText(succeeded)} of ${countText(allocated)} have succeeded so far`;
  if (retried.failed === 0) return `${style.green("✓")} ${specs} succeeded this time; ${all}`;
  return `${style.red("✗")} ${countText(retried.failed)} of ${specs} failed again; ${all}`;
}

function failureLines({ failed_by_kind, failures, retried }: RunOutcome, { style, width }: View): string[] {
  const kinds = Object.entries(retried?.failed_by_kind ?? failed_by_kind).map(
    ([kind, count]) => `${kind} ${countText(count)}`,
  );
  const first = failures.map(({ sort_index, kind, message }, i) => {
    const label = style.dim(pad(i === 0 ? "first" : "", LABEL));
    return `  ${label}${cut(`spec ${sort_index}  ${kind}  ${messageLine(message)}`, Math.max(40, width - LABEL - 3))}`;
  });
  return [`  ${style.dim(pad("kinds", LABEL))}${kinds.join(style.dim(" · "))}`, ...first];
}

/** A path that can be pasted, when it is on this machine. */
export function placeOf(uri: string): string {
  return uri.startsWith("file:") ? fileURLToPath(uri) : uri;
}
