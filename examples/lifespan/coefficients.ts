import { readFile } from "node:fs/promises";
import { z } from "zod";

const coefficients = z.strictObject({
  population: z.string().min(1),
  sources: z.array(z.string()).min(1),
  mean_height_m: z.number().min(1).max(2.5),
  mortality: z.strictObject({
    makeham: z.number().nonnegative(),
    gompertz: z.number().positive(),
    slope: z.number().min(0.02).max(0.5),
  }),
  bmi: z
    .strictObject({
      low: z.number().positive(),
      high: z.number().positive(),
      ratio_below: z.number().positive(),
      ratio_above: z.number().positive(),
    })
    .refine((bmi) => bmi.low <= bmi.high, { path: ["low"], error: "must not be above bmi.high" }),
});

/** What a coefficients file holds: a population's mortality (per year), its mean height (m) and its weight risk. */
export type Coefficients = z.infer<typeof coefficients>;

/**
 * Reads and checks a coefficients file.
 *
 * @param path a JSON file in the shape of {@link Coefficients}
 * @throws Error naming the file, the fields at fault and what to do; the parser's or reader's own is its `cause`
 */
export async function readCoefficients(path: string): Promise<Coefficients> {
  const parsed = coefficients.safeParse(parseJson(path, await readText(path)));
  if (parsed.success) return parsed.data;
  throw new Error(
    `The coefficients file ${path} does not have the expected shape:\n${z.prettifyError(parsed.error)}\n` +
      "Mend these fields; coefficients/women.json shows the shape.",
    { cause: parsed.error },
  );
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    throw new Error(`Cannot read the coefficients file ${path}. Check the path in the spec's field "coefficients".`, {
      cause,
    });
  }
}

function parseJson(path: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new Error(
      `The coefficients file ${path} is not JSON (${(cause as Error).message}). ` +
        "Mend it; coefficients/women.json shows the shape.",
      { cause },
    );
  }
}
