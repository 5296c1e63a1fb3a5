import { resolve } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { ScytheError } from "../errors.ts";
import type { AnyExperiment } from "../experiment/define.ts";
import { assertKnownKeys, type Keys } from "../known-keys.ts";
import { detailsOf, type Manifest, type ManifestDetails } from "../run/manifest.ts";
import { Design } from "../sampling/design/design.ts";
import {
  type DesignDescription,
  designWarnings,
  joinedDesign,
  nextPoints,
  type DesignRequest as PointsRequest,
  planDesign,
} from "../sampling/design/plan.ts";
import { distributionText, parseDistribution } from "../sampling/space/distribution-text.ts";
import { files, type Level } from "../sampling/space/distributions.ts";
import type { Space } from "../sampling/space/space.ts";
import { type SpaceRequest, spaceOf } from "../sampling/space/space-of-schema.ts";
import type { Column } from "../schema/columns.ts";
import { type ReadOptions, SpecReader, type SpecRecord } from "../spec-file/source.ts";
import { csvLines, type WriteSpecsOptions, writeSpecFile } from "../spec-file/write.ts";
import { relativeWithin } from "./relative-within.ts";

/** The specs that an experiment's own schema gives: which design, how many points, and how the fields are spread. */
export interface DesignRequest extends Omit<PointsRequest, "space"> {
  /** Distributions by field, before those of the experiment's own `space`: `{ r_value: "loguniform:0.5,15" }`. */
  space?: SpaceRequest["space"];
  /** Values by field that all specs have; null leaves out a field that may be left out. */
  fixed?: Readonly<Record<string, Level>>;
  /** Points of the design to leave out at its beginning (default 0). */
  skip?: number;
}

/** What relative paths in a list of files are relative to, and whether the user's own word gave them. */
export interface DesignPlace {
  folder: string;
  /** A folder that they become relative to where they lie in it: in the specs, and in the manifest (default: `folder`). */
  root?: string;
  trusted: boolean;
}

function currentFolder(): DesignPlace {
  return { folder: process.cwd(), trusted: true };
}

const REQUEST: Keys<DesignRequest> = {
  design: true,
  n: true,
  seed: true,
  options: true,
  space: true,
  fixed: true,
  where: true,
  skip: true,
};

/**
 * Specs from the experiment's schema. Fields of which nothing is said are spread over their bounds, or over the values of
 * an enum, a boolean or literals.
 * @throws ScytheError `invalid_input` naming the field without bounds, the unknown field, distribution or design
 */
export function designSpecs(
  experiment: AnyExperiment,
  request: DesignRequest,
  place: DesignPlace = currentFolder(),
): DesignSpecs {
  assertKnownKeys(request, REQUEST, "A design");
  const { space: given = {}, fixed = {}, where = experiment.where, skip = 0, ...points } = request;
  const own = Object.entries(experiment.space ?? {}).filter(([name]) => !Object.hasOwn(fixed, name));
  const { space, notices } = spaceOf(experiment.input, { space: { ...Object.fromEntries(own), ...given }, fixed });
  const base = baseOf(place);
  const asked = { ...points, space: movedFiles(space, place.folder, base), ...(where && { where }) };
  const description = skip === 0 ? planDesign(asked) : after(planDesign({ ...asked, n: skip }), where, points.n ?? 0);
  return new DesignSpecs(experiment, new Design(description, where), notices, {
    folder: base ?? place.folder,
    trusted: place.trusted,
  });
}

/** What paths become relative to; undefined where a stranger's file outside of the root gave them: they become absolute. */
function baseOf({ folder, root = folder, trusted }: DesignPlace): string | undefined {
  return trusted || relativeWithin(root, folder) !== undefined ? root : undefined;
}

function movedFiles(space: Space, from: string, to: string | undefined): Space {
  return space.map((field) => {
    const distribution = parseDistribution(field.distribution);
    if (distribution.kind !== "files") return field;
    const paths = distribution.paths.map((path) => {
      if (isUri(path)) return path;
      const full = resolve(from, path);
      return (to === undefined ? undefined : relativeWithin(to, full)) ?? full;
    });
    return { ...field, distribution: distributionText(files(paths)) };
  });
}

export function isUri(path: string): boolean {
  return /^[a-z][a-z0-9+.-]+:/i.test(path);
}

/** The `n` points after a design's. Where a condition chooses them, its own must be made to know where it ends. */
function after(before: DesignDescription, where: DesignRequest["where"], n: number): DesignDescription {
  const design = new Design(before, where);
  if (where) for (const _ of design.batches());
  return nextPoints(design.description, n);
}

/**
 * The next points of the design that a run was made from: with them the run has one longer design.
 * @param n points; of a Morris design trajectories, of a Saltelli design groups of rows
 * @throws ScytheError `invalid_input` for a run without a design, or with one that cannot be continued; `conflict` when its
 * condition is not the experiment's any more
 */
export function nextDesignSpecs(experiment: AnyExperiment, manifest: Manifest, n: number, place = currentFolder()) {
  const { design: before } = detailsOf(manifest);
  if (!before) {
    throw new ScytheError("invalid_input", `Run ${manifest.experiment_id} was not made from a design`, {
      hint: "Give the specs that it is to be extended by. `scythe run <experiment> --design sobol -n 256` makes one that goes on.",
    });
  }
  const next = nextPoints(before, n);
  const where = before.where === undefined ? undefined : (experiment.where as DesignRequest["where"]);
  if (before.where !== undefined && String(where) !== before.where) {
    throw new ScytheError(
      "conflict",
      `The condition of run ${manifest.experiment_id} is not the experiment's any more`,
      {
        hint: `Its specs were chosen by \`${before.where}\`: restore it as the experiment's \`where\`, or start a new run.`,
      },
    );
  }
  return new DesignSpecs(experiment, new Design(next, where), [], place, before);
}

/** Values in memory at once while specs are written: many rows of a few fields, so that a Parquet file has few row groups. */
const WRITTEN_TOGETHER = 2 ** 17;

/** The specs of a design, to be allocated; the run's manifest says which design it was. */
export class DesignSpecs extends SpecReader {
  readonly design: Design;
  readonly place: DesignPlace;
  readonly #experiment: AnyExperiment;
  readonly #notices: readonly string[];
  readonly #before: DesignDescription | undefined;

  constructor(
    experiment: AnyExperiment,
    design: Design,
    notices: readonly string[],
    place: DesignPlace,
    before?: DesignDescription,
  ) {
    super();
    this.#experiment = experiment;
    this.design = design;
    this.place = place;
    this.#notices = notices;
    this.#before = before;
  }

  /** The types of the fields that the design fills, in the order of its space. */
  get columns(): Column[] {
    const known = this.#experiment.columns.input as readonly Column[];
    return this.design.description.space.map(
      ({ name, type }) =>
        known.find((column) => column.name === name) ?? {
          name,
          type: { kind: type === "value" ? "string" : "float64" },
          nullable: false,
          optional: false,
          file: false,
        },
    );
  }

  *read(_columns: unknown, { notice }: ReadOptions = {}): Generator<SpecRecord> {
    for (const message of this.warnings) notice?.(message);
    let row = 0;
    for (const value of this.design.specs()) yield { at: `row ${row++} of the design`, value };
    const { tally } = this.design;
    if (tally) notice?.(`The condition (where) let ${tally.kept} of ${tally.tried} points through.`);
  }

  /**
   * Writes them to a .parquet, .csv or .jsonl file, in constant memory; it appears when it is whole. Returns the rows.
   * @throws ScytheError `conflict` when the file is there already
   */
  writeTo(path: string, options?: WriteSpecsOptions): Promise<number> {
    const { columns } = this;
    const batch = Math.max(1, Math.floor(WRITTEN_TOGETHER / columns.length));
    return writeSpecFile(path, columns, this.design.batches({ batch }), options);
  }

  /** As CSV with a header, in pieces; nothing when there is no spec. */
  *csv(): Generator<string> {
    const lines = csvLines(this.columns);
    let header = lines(undefined);
    for (const batch of this.design.batches()) {
      yield header + lines(batch);
      header = "";
    }
  }

  /** What one should know before the specs are run. */
  get warnings(): string[] {
    return [...this.#notices, ...designWarnings(this.description)];
  }

  /**
   * The design of a run that has these specs, once they were read: after those of the run that it extends, if there is
   * one. Undefined when both together are no design.
   */
  descriptionFor(extended: ManifestDetails | undefined): DesignDescription | undefined {
    if (!extended) return this.design.description;
    const continued = this.#before !== undefined && isDeepStrictEqual(this.#before, extended.design);
    return continued ? this.description : undefined;
  }

  /** All points that the run will have: those it had before, and these. With a condition, complete after reading. */
  get description(): DesignDescription {
    return this.#before ? joinedDesign(this.#before, this.design.description) : this.design.description;
  }
}
