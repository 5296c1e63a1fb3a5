import { randomUUID } from "node:crypto";
import type { Overrides } from "../config.ts";
import { diagnose, type Finding } from "../engine/hatchet/diagnose.ts";
import { isScytheError, messageOf } from "../errors.ts";
import { hasHatchetToken, hatchetOptions } from "../hatchet-options.ts";
import { openProject, type Scythe } from "../project.ts";
import { packageVersion } from "../run/environment.ts";
import type { Storage } from "../storage/storage.ts";
import { EXIT } from "./exit.ts";
import type { ProjectFlags } from "./options.ts";
import { print } from "./output.ts";
import { type Style, styleFor } from "./style.ts";

/** Looks at what a run needs, and says what to do about what is missing. */
export async function runDoctor(flags: ProjectFlags & { engine?: string }): Promise<number> {
  const findings = await findAll(flags);
  const problems = findings.filter(({ state }) => state === "problem").length;
  await print(
    flags.json
      ? `${JSON.stringify({ problems, findings }, null, 2)}\n`
      : findings.map((finding) => findingText(finding, styleFor(process.stdout))).join(""),
  );
  return problems > 0 ? EXIT.unreachable : EXIT.ok;
}

async function findAll({ storage, engine }: ProjectFlags & { engine?: string }): Promise<Finding[]> {
  const versions: Finding = {
    what: "versions",
    state: "ok",
    said: `scythe ${packageVersion()}, Node ${process.versions.node}`,
  };
  const overrides: Overrides = {
    ...(storage === undefined ? {} : { storage }),
    ...(engine === undefined ? {} : { engine }),
  };
  let project: Scythe;
  try {
    project = await openProject(process.cwd(), overrides);
  } catch (error) {
    return [versions, problem("project", error)];
  }
  try {
    const { registry, settings } = project;
    const experiments: Finding = {
      what: "project",
      state: "ok",
      said: `${registry.names.join(", ")}; engine ${settings.engine}`,
    };
    const clustered = settings.engine === "hatchet" || hasHatchetToken();
    const cluster = clustered ? await diagnose(hatchetOptions(registry, settings, project.storage)) : [];
    return [versions, experiments, ...(await storageFindings(project.storage, settings.engine)), ...cluster];
  } finally {
    await project.close();
  }
}

/** Writes, reads, lists and removes a small object: what a policy forbids shows here and not in the middle of a run. */
async function storageFindings(storage: Storage, engine: string): Promise<Finding[]> {
  const key = `scythe-doctor-${randomUUID()}`;
  const uri = storage.uriOf("");
  try {
    await storage.put(key, "well", { ifAbsent: true });
    await storage.get(key);
    await storage.delete([key]);
  } catch (error) {
    return [problem(`storage ${uri}`, error)];
  }
  const caveats = await storage.caveats?.().catch(() => []);
  const warnings = (caveats ?? []).map((caveat): Finding => ({ what: "storage", state: "warning", ...caveat }));
  if (engine === "hatchet" && uri.startsWith("file:")) {
    const todo = "Set SCYTHE_STORAGE_BUCKET, or make sure that all workers see this very folder (NFS).";
    const said = `${uri} can be written, but is a folder of this machine`;
    return [{ what: "storage", state: "warning", said, todo }, ...warnings];
  }
  return [{ what: "storage", state: "ok", said: `${uri} can be written, read and cleaned` }, ...warnings];
}

function problem(what: string, error: unknown): Finding {
  const todo = isScytheError(error) ? error.hint : undefined;
  return { what, state: "problem", said: messageOf(error), ...(todo === undefined ? {} : { todo }) };
}

function findingText({ what, state, said, todo }: Finding, style: Style): string {
  const mark = { ok: style.green("ok     "), warning: style.yellow("warning"), problem: style.red("PROBLEM") }[state];
  return `${mark}  ${style.bold(what)}: ${said}\n${todo === undefined ? "" : `         → ${todo}\n`}`;
}
