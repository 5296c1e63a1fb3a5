import { relative } from "node:path";
import { jsonText } from "./json-text.ts";
import { withProject } from "./open-project.ts";
import { note, print } from "./output.ts";
import type { ReproFlags } from "./repro.ts";
import { shellWord } from "./shell-word.ts";
import { styleFor } from "./style.ts";

export async function makeReproFolder(reference: string, sortIndex: number, flags: ReproFlags): Promise<void> {
  const overrides = flags.storage === undefined ? {} : { storage: flags.storage };
  await withProject({ ...overrides, engine: "inline" }, async (project) => {
    const repro = await project.audit.repro(reference, sortIndex, flags.to === undefined ? {} : { to: flags.to });
    await print(flags.json ? `${jsonText({ sort_index: sortIndex, ...repro }, 2)}\n` : `${repro.folder}\n`);
    for (const text of repro.notes) note(text);
    const style = styleFor(process.stderr);
    const came = { succeeded: "succeeded", failed: "failed", unknown: "has no row" }[repro.status];
    const script = shellWord(relative(process.cwd(), repro.script));
    note(`spec ${sortIndex} ${came} in the run\n  next  ${style.cyan(`node ${script}`)}`);
    note(`        ${style.cyan(`node --inspect-brk ${script}`)}`);
  });
}
