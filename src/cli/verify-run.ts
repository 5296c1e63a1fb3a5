import { writeFile } from "node:fs/promises";
import { commitText } from "../audit/code-change.ts";
import type { Certificate, Check } from "../audit/verify/certificate.ts";
import { bytesText } from "../bytes-text.ts";
import { messageOf, ScytheError } from "../errors.ts";
import type { Scythe } from "../project.ts";
import { messageLine } from "./cell-text.ts";
import { pad } from "./display-width.ts";
import { EXIT } from "./exit.ts";
import { jsonText } from "./json-text.ts";
import { withProject, withStorage } from "./open-project.ts";
import { note, print } from "./output.ts";
import { placeOf } from "./run-summary.ts";
import { type Style, styleFor } from "./style.ts";
import { countText, durationText, plural, timeText } from "./units.ts";
import type { VerifyFlags } from "./verify.ts";

const SHOWN_PROBLEMS = 50;

/** Verifies a run and prints its certificate. Returns the exit code. */
export async function verify(reference: string, flags: VerifyFlags): Promise<number> {
  const { engine, slots, storage } = flags;
  const check = async (project: Scythe): Promise<number> => {
    const certificate = await project.audit.verify(reference, {
      ...(flags.sample === undefined ? {} : { sample: flags.sample }),
      ...(flags.sampleSeed === undefined ? {} : { seed: flags.sampleSeed }),
    });
    if (flags.to !== undefined) await writeCertificate(flags.to, certificate);
    if (flags.json) await print(`${jsonText(certificate, 2)}\n`);
    else await print(`${certificateText(certificate, styleFor(process.stdout))}\n`);
    return certificate.result === "verified" ? EXIT.ok : EXIT.findings;
  };
  if (flags.sample === undefined) return withStorage(flags, check);
  return withProject({ ...(storage && { storage }), ...(engine && { engine }), ...(slots && { slots }) }, check);
}

async function writeCertificate(path: string, certificate: Certificate): Promise<void> {
  try {
    await writeFile(path, `${jsonText(certificate, 2)}\n`);
  } catch (cause) {
    throw new ScytheError("invalid_input", `The certificate could not be written: ${messageOf(cause)}`, {
      hint: "Give --to a file in a folder that you may write to.",
      cause,
    });
  }
  note(`certificate written to ${path}`);
}

const MARKS: Record<Check["status"], [string, "green" | "red" | "yellow" | "dim"]> = {
  ok: ["✓", "green"],
  failed: ["✗", "red"],
  unchecked: ["○", "yellow"],
  not_asked: ["·", "dim"],
};

export function certificateText(certificate: Certificate, style: Style): string {
  const { by, made_by, problems, checks, files } = certificate;
  const whole = certificate.result === "verified";
  const verdict = whole ? style.green("verified") : style.red(plural(problems.length, "problem"));
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  const fact = (name: string, text: string) => `  ${style.dim(pad(name, 12))}  ${text}`;
  const code = (own: NonNullable<Certificate["made_by"]>) =>
    `scythe ${own.scythe}, Node ${own.node.replace(/^v/, "")}, ${own.platform}, git ${commitText(own)}`;
  const lines = [
    `${style.bold(certificate.experiment_id)}  ${verdict}`,
    fact("where", placeOf(certificate.uri)),
    fact("when", `${timeText(certificate.verified_at)}, in ${durationText(certificate.seconds)}`),
    fact("by", code(by)),
    ...(made_by ? [fact("made by", code(made_by))] : []),
    fact("hashed", `${plural(files.length, "file")}, ${bytesText(bytes)}`),
    "",
    ...checks.map((check) => checkLine(check, style)),
  ];
  if (whole) return lines.join("\n");
  lines.push("");
  for (const { file, problem } of problems.slice(0, SHOWN_PROBLEMS)) {
    lines.push(`  ${style.red("✗")} ${file === null ? "" : `${style.bold(file)} `}${messageLine(problem)}`);
  }
  if (problems.length > SHOWN_PROBLEMS) {
    lines.push(`  … and ${countText(problems.length - SHOWN_PROBLEMS)} more: --json has all`);
  }
  return lines.join("\n");
}

function checkLine({ name, status, says }: Check, style: Style): string {
  const [mark, paint] = MARKS[status];
  const text = status === "not_asked" ? notAsked(name) : says.map(messageLine).join("; ");
  return `  ${style[paint](mark)} ${style.dim(pad(name, 12))}  ${text}`;
}

function notAsked(name: Check["name"]): string {
  return name === "sample" ? "no spec was run again (--sample k)" : "not checked";
}
