import type { Command } from "commander";
import { bytesText } from "../../bytes-text.ts";
import { commitText, type Lineage } from "../../index.ts";
import { withStorage } from "../open-project.ts";
import { type ProjectFlags, projectOptions, RUN_NAME } from "../options.ts";
import { print } from "../output.ts";
import { designText } from "../view/design-text.ts";
import { pad } from "../view/display-width.ts";
import { jsonText } from "../view/json-text.ts";
import { type Style, styleFor } from "../view/style.ts";
import { countText, plural, timeText } from "../view/units.ts";

const EXAMPLES = `
Examples:
  scythe lineage projectile
  scythe lineage projectile@v1.0.0 --json`;

export function register(command: Command): void {
  command
    .description(
      "Shows what produced a run: code, environment, inputs with their hashes, and the runs that it continues.",
    )
    .argument("<run>", RUN_NAME)
    .addHelpText("after", EXAMPLES);
  projectOptions(command).action(async (run: string, flags: ProjectFlags) => {
    await showLineage(run, flags);
  });
}

const SHOWN_FILES = 20;

export async function showLineage(reference: string, flags: ProjectFlags): Promise<void> {
  await withStorage(flags, async (project) => {
    const lineage = await project.audit.lineage(reference);
    await print(`${flags.json ? jsonText(lineage, 2) : lineageText(lineage, styleFor(process.stdout))}\n`);
  });
}

function lineageText(lineage: Lineage, style: Style): string {
  const { code, environment, specs, artifacts, driven, parents } = lineage;
  const fact = (name: string, text: string) => `  ${style.dim(pad(name, 10))}  ${text}`;
  const list = (name: string, texts: readonly string[]) =>
    texts.slice(0, SHOWN_FILES).map((text, i) => fact(i === 0 ? name : "", text));
  const more = (count: number) =>
    count > SHOWN_FILES ? [fact("", `… and ${countText(count - SHOWN_FILES)} more`)] : [];
  const files = artifacts.map(
    ({ path, sha256, name }) => `${path}${name === null ? "" : ` (${name})`}  ${style.dim(sha256)}`,
  );
  return [
    style.bold(lineage.experiment_id),
    fact("allocated", lineage.created_at ? timeText(lineage.created_at) : "not recorded (a run of Python Scythe)"),
    ...(lineage.command ? [fact("typed", lineage.command)] : []),
    fact("code", `git ${commitText(code)}${code.schema_hash ? `, schemas ${code.schema_hash.slice(0, 12)}` : ""}`),
    ...(environment ? environmentFacts(environment, fact, list) : []),
    ...specFacts(specs, fact),
    ...list("inputs", files),
    ...more(files.length),
    ...(lineage.seed === null ? [] : [fact("seed", String(lineage.seed))]),
    ...(driven?.engine
      ? [
          fact(
            "engine",
            `${driven.engine}${driven.host ? ` on ${driven.host}` : ""}, driven ${plural(driven.times, "time")}`,
          ),
        ]
      : []),
    ...list(
      "parents",
      parents.map((parent) => `${parent.experiment_id}  ${style.dim(`git ${commitText(parent)}`)}`),
    ),
  ].join("\n");
}

type Fact = (name: string, text: string) => string;

function environmentFacts(
  { scythe, node, platform, lockfile_sha256, packages }: NonNullable<Lineage["environment"]>,
  fact: Fact,
  list: (name: string, texts: readonly string[]) => string[],
): string[] {
  return [
    fact("with", `scythe ${scythe}, Node ${node.replace(/^v/, "")}, ${platform}`),
    ...(lockfile_sha256 ? [fact("lockfile", lockfile_sha256)] : []),
    ...list(
      "packages",
      Object.entries(packages).map(([name, version]) => `${name} ${version}`),
    ),
  ];
}

function specFacts({ count, source, sha256, design }: Lineage["specs"], fact: Fact): string[] {
  const from = design
    ? designText(design)
    : source
      ? `from ${source.path} (${bytesText(source.bytes)}, ${source.sha256})`
      : "given by code or flags";
  return [
    ...(count === null ? [] : [fact("specs", `${countText(count)}, ${from}`)]),
    ...(design ? design.space.map(({ name, distribution }) => fact("", `${name} ${distribution}`)) : []),
    ...(sha256 === null ? [] : [fact("", `specs.pq ${sha256}`)]),
  ];
}
