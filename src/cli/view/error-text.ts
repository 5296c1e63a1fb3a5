import { sep } from "node:path";
import { isScytheError, messageOf } from "../../errors.ts";
import { redact } from "../../index.ts";
import { packageFile } from "../../package.ts";
import { plainJson } from "./json-text.ts";
import type { Style } from "./style.ts";

/** This package as built and, by its source maps, as written. */
const OWN_CODE = ["dist", "src"].map((folder) => packageFile(folder) + sep);
const SHOWN_FRAMES = 3;

export interface ErrorJson {
  error: { code: string; message: string; hint: string | null; details: unknown };
}

/** An error as `--json` prints it. */
export function errorJson(thrown: unknown): ErrorJson {
  const known = isScytheError(thrown);
  return {
    error: {
      code: known ? thrown.code : "internal",
      message: redact(messageOf(thrown)),
      hint: (known ? thrown.hint : undefined) ?? null,
      details: withoutSecrets(plainJson(known ? (thrown.details ?? {}) : {})),
    },
  };
}

/** What happened, where in the researcher's code, what to do next; the whole stack only of an unexpected error. */
export function errorText(thrown: unknown, style: Style, debug: boolean): string {
  const foreseen = isScytheError(thrown) && thrown.code !== "internal";
  const hint = isScytheError(thrown) && thrown.hint ? thrown.hint : undefined;
  const lines = [`${style.red(style.bold("error:"))} ${redact(messageOf(thrown))}`];
  if (!foreseen || debug) lines.push(style.dim(redact(fullStack(thrown))));
  else lines.push(...ownFrames(thrown).map((frame) => style.dim(frame)));
  if (hint) lines.push(`${style.cyan("hint:")} ${hint}`);
  else if (!foreseen) lines.push(`${style.cyan("hint:")} This looks like a fault of Scythe itself: please report it.`);
  return lines.join("\n");
}

function withoutSecrets(value: unknown): unknown {
  if (typeof value === "string") return redact(value);
  if (Array.isArray(value)) return value.map(withoutSecrets);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, own]) => [name, withoutSecrets(own)]));
}

/** The first places of the researcher's own code in the stack of an expected error's cause. */
export function ownFrames(thrown: unknown): string[] {
  const causes = causesOf(thrown).filter((cause) => !isScytheError(cause));
  for (const { stack } of causes.reverse()) {
    const frames = (stack ?? "").split("\n").filter(isOwnFrame);
    if (frames.length > 0) return frames.slice(0, SHOWN_FRAMES);
  }
  return [];
}

function isOwnFrame(line: string): boolean {
  if (!/^\s+at /.test(line) || line.includes("node:") || line.includes("/node_modules/")) return false;
  return /[/\\]/.test(line) && !OWN_CODE.some((folder) => line.includes(folder));
}

function causesOf(thrown: unknown): Error[] {
  const causes: Error[] = [];
  for (let at = thrown; at instanceof Error && causes.length < 10; at = at.cause) causes.push(at);
  return causes;
}

function fullStack(thrown: unknown): string {
  return causesOf(thrown)
    .map((error, depth) => `${depth > 0 ? "Caused by: " : ""}${error.stack ?? error.message}`)
    .join("\n");
}
