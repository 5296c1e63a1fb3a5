import { historyGeneration } from "../../run/layout.ts";
import type { Report } from "../../run/report.ts";
import {
  type About,
  type Expected,
  isThere,
  reportShape,
  type Subject,
  sealedYaml,
  textOf,
  wasBrought,
} from "./about.ts";

/**
 * What a run keeps of the generations before its last: a report each, which holds its own hash, and the errors of that
 * time, whose hash the report holds. Returns the errors; what is wrong with a report is a finding.
 */
export async function earlierErrors(subject: Subject, { report, foreign }: About): Promise<Expected[]> {
  if (foreign) return [];
  const found = [...subject.objects.keys()].flatMap((path) => historyGeneration(path) ?? []);
  const generations = new Set([...found, ...Array.from({ length: report?.generation ?? 0 }, (_, i) => i)]);
  const errors: Expected[] = [];
  for (const generation of [...generations].sort((a, b) => a - b)) {
    const earlier = await earlierReport(subject, generation);
    const path = within(subject, subject.layout.history(generation, "errors.pq"));
    const recorded = earlier?.final.errors;
    if (recorded) errors.push({ path, sha256: recorded.sha256, bytes: recorded.bytes });
    else if (isThere(subject, path)) errors.push({ path, sha256: undefined, bytes: undefined });
  }
  return errors;
}

async function earlierReport(subject: Subject, generation: number): Promise<Report | undefined> {
  const { layout, findings } = subject;
  const key = layout.history(generation, "report.yml");
  const path = within(subject, key);
  if (!isThere(subject, path)) {
    if (wasBrought(subject, path)) findings.bad("descriptions", path, "is missing");
    return undefined;
  }
  const report = sealedYaml(subject, key, await textOf(subject, key), reportShape) as Report | undefined;
  if (!report || (report.generation === generation && report.experiment_id === layout.experimentId)) return report;
  findings.bad("descriptions", path, `is of ${report.experiment_id}, generation ${report.generation}`);
  return undefined;
}

function within({ layout }: Subject, key: string): string {
  return key.slice(layout.key("").length);
}
