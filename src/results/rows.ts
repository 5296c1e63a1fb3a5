import type { z } from "zod";
import type { AnyExperiment, Tables } from "../experiment/define.ts";
import type { ErrorValues } from "../scatter/final-columns.ts";

/** The first columns of every row. */
export interface RowIds {
  experiment_id: string;
  sort_index: number;
  workflow_run_id: string;
  root_workflow_run_id: string;
}

type Scalar = string | number | bigint | boolean | Date | null | undefined;
/** Arrays and objects of an input are in `specs.pq`, not among the index columns. */
type IndexFields<T> = { [K in keyof T as T[K] extends Scalar ? K : never]: T[K] };

type InputOf<E> = E extends { input: infer I extends z.ZodType } ? z.output<I> : never;
type OutputOf<E> = E extends { output: infer O extends z.ZodType } ? z.output<O> : never;
/** The return type of `computedFeatures`; its fields are in every table. */
type FeaturesOf<E> = E extends { computedFeatures: infer C }
  ? Exclude<C, undefined> extends (...input: never) => infer F
    ? F
    : unknown
  : unknown;
type TablesOf<E> = E extends { tables: infer T extends Tables } ? T : never;

/** A row of `scalars.pq`, including file outputs as URIs. */
export type ScalarRow<E extends AnyExperiment> = RowIds & IndexFields<InputOf<E>> & FeaturesOf<E> & OutputOf<E>;

/** The names of an experiment's tables. */
export type TableName<E extends AnyExperiment> = keyof TablesOf<E> & string;

/** A row of a user's table. */
export type TableRow<E extends AnyExperiment, N extends TableName<E>> = RowIds &
  IndexFields<InputOf<E>> &
  FeaturesOf<E> & { sort_subindex: number } & z.output<TablesOf<E>[N]["schema"]>;

/** A row of `errors.pq`. */
export type ErrorRow<E extends AnyExperiment> = RowIds & Partial<IndexFields<InputOf<E>> & FeaturesOf<E>> & ErrorValues;
