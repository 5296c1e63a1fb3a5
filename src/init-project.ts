import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { basename, dirname, join, relative, resolve } from "node:path";
import { messageOf, ScytheError } from "./errors.ts";
import { packageFile, packageVersion } from "./package.ts";

const TEMPLATE = packageFile("templates/study");
/** npm leaves files of these names out of a package, so they are stored under another. */
const RENAMED: Record<string, string> = { gitignore: ".gitignore" };
/** What a folder may hold and still be empty. */
const HARMLESS = new Set([".git", ".DS_Store"]);
/** A package cannot have the name of one that it depends on, nor these. */
const TAKEN = new Set(["scythe-ts", "zod", "node_modules", "favicon.ico"]);

/** A project that {@link initProject} made. */
export interface NewProject {
  /** Its absolute path. */
  folder: string;
  /** Its name as a package. */
  name: string;
  /** What was written, relative to the folder. */
  files: string[];
}

/**
 * Makes a project that is ready to run: a config, an example experiment and specs for it.
 * @param folder where to make it; it must be new or empty
 * @throws ScytheError `invalid_input` when the folder holds anything already, `storage` when it cannot be written
 */
export async function initProject(folder: string): Promise<NewProject> {
  const target = resolve(folder);
  await assertEmpty(target, folder);
  const name = packageNameOf(basename(target));
  const files = await copyTemplate(target, { name, version: packageVersion() });
  return { folder: target, name, files };
}

/** A folder's name as a name that npm takes. */
export function packageNameOf(folder: string): string {
  const safe = folder
    .normalize("NFKD")
    .toLowerCase()
    .replace(/[^a-z0-9._-]+/g, "-")
    .replace(/^[-._]+|[-._]+$/g, "")
    .slice(0, 200);
  if (!safe) return "my-study";
  return TAKEN.has(safe) ? `${safe}-study` : safe;
}

async function assertEmpty(target: string, folder: string): Promise<void> {
  const entries = await readdir(target).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return [];
    const what = error.code === "ENOTDIR" ? `${folder} is a file` : `Could not look into ${folder}: ${error.message}`;
    throw new ScytheError("invalid_input", what, { hint: "Give a new or empty folder.", cause: error });
  });
  if (entries.every((entry) => HARMLESS.has(entry))) return;
  throw new ScytheError("invalid_input", `${folder} is not empty`, {
    hint: "Give a new or empty folder; files are never overwritten.",
  });
}

async function copyTemplate(target: string, values: Record<string, string>): Promise<string[]> {
  const sources = await readdir(TEMPLATE, { recursive: true, withFileTypes: true });
  const written: string[] = [];
  for (const source of sources) {
    if (!source.isFile()) continue;
    const from = join(source.parentPath, source.name);
    const path = join(relative(TEMPLATE, source.parentPath), RENAMED[source.name] ?? source.name);
    const text = (await readFile(from, "utf8")).replace(/\{\{(\w+)\}\}/g, (all, name: string) => values[name] ?? all);
    try {
      await mkdir(dirname(join(target, path)), { recursive: true });
      await writeFile(join(target, path), text, { flag: "wx" });
    } catch (cause) {
      throw new ScytheError("storage", `Could not write ${join(target, path)}: ${messageOf(cause)}`, {
        hint: "Is the disk full, or the folder not yours to write?",
        cause,
      });
    }
    written.push(path);
  }
  return written.sort();
}
