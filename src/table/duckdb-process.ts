/** The program of a child process with one DuckDB, which runs one statement after the other. */
import { messageOf, ScytheError } from "../errors.ts";
import { type Duck, type DuckAnswer, type DuckRequest, duckOf, withConnection } from "./duckdb.ts";

let duck: Duck;
process.on("disconnect", () => process.kill(process.pid, "SIGKILL")); // even in the middle of a merge
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => undefined); // the parent handles Ctrl-C
if (!process.connected) process.exit(0); // the parent was killed while this program loaded
process.on("message", (request: DuckRequest) => {
  answer(request).then(
    (rows) => reply(rows ? { rows } : {}),
    (error: unknown) => {
      const known = error instanceof ScytheError ? error : undefined;
      reply({ error: { code: known?.code ?? "internal", message: messageOf(error), hint: known?.hint } });
    },
  );
});

function reply(message: DuckAnswer): void {
  process.send!(message);
}

async function answer(request: DuckRequest) {
  if (request.type === "run") return duck.run(request.sql, request.what);
  if (request.type === "rows") return duck.rows(request.sql);
  await new Promise<void>((resolve, reject) => {
    withConnection(request.options, (connection) => {
      duck = duckOf(connection);
      resolve();
      return new Promise(() => undefined); // open until the process ends
    }).catch(reject);
  });
  return undefined;
}
