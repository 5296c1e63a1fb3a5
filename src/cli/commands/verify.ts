import { writeFile } from "node:fs/promises";
import { type Command, Option } from "commander";
import { bytesText } from "../../bytes-text.ts";
import { messageOf, ScytheError } from "../../errors.ts";
import { type Certificate, type Check, commitText, type Scythe } from "../../index.ts";
import { EXIT } from "../exit.ts";
import { withProject, withStorage } from "../open-project.ts";
import { type ProjectFlags, projectOptions, RUN_NAME, wholeNumber } from "../options.ts";
import { note, print } from "../output.ts";
import { messageLine } from "../view/cell-text.ts";
import { pad } from "../view/display-width.ts";
import { jsonText } from "../view/json-text.ts";
import { placeOf } from "../view/run-summary.ts";
import { type Style, styleFor } from "../view/style.ts";
import { countText, durationText, plural, timeText } from "../view/units.ts";

export interface VerifyFlags extends ProjectFlags {
  sample?: number;
  sampleSeed?: number;
  engine?: string;
  slots?: number;
  to?: string;
}

const EXAMPLES = `
Examples:
  scythe verify projectile
  scythe verify projectile --sample 20 --to certificate.json
  scythe verify projectile --storage s3://my-bucket/scythe`;

export function register(command: Command): void {
  command
    .description(
      "Checks a run's counts, columns and files against what it recorded, and with --sample runs some specs again. Prints a certificate; exit code 3 when something is wrong.",
    )
    .argument("<run>", RUN_NAME)
    .addOption(new Option("--sample <k>", "run k specs again, drawn at random").argParser(wholeNumber(0)))
    .addOption(new Option("--sample-seed <n>", "seed of the sample; random by default").argParser(wholeNumber(0)))
    .option("--engine <name>", "what runs the sample: local (child processes) or inline (this process)")
    .addOption(new Option("--slots <n>", "specs of the sample that run at the same time").argParser(wholeNumber(1)))
    .option("--to <file>", "write the certificate there, too, as JSON")
    .addHelpText("after", EXAMPLES);
  projectOptions(command).action(async (run: string, flags: VerifyFlags) => {
    process.exitCode = await verify(run, flags);
  });
}

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
