/** A worker of fork-pool.mjs: loads the function named in its argument, then answers each batch in turn. */
import { setTimeout as sleepFor } from "node:timers/promises";

const { module, exportName, taskMs, sleep } = JSON.parse(process.argv[2]);
const run = (await import(module))[exportName];
if (typeof run !== "function") throw new Error(`${module} exports no function ${exportName}.`);

/** Real work for the processor, as a simulation's would be. */
function spin(milliseconds) {
  const end = performance.now() + milliseconds;
  while (performance.now() < end);
}

function answer({ start, specs }) {
  const results = specs.map((spec) => {
    if (taskMs > 0) spin(taskMs);
    return run(spec);
  });
  process.send({ start, results });
}

async function answerAsleep({ start, specs }) {
  const results = [];
  for (const spec of specs) {
    await sleepFor(taskMs);
    results.push(run(spec));
  }
  process.send({ start, results });
}

let last = Promise.resolve();
process.on("message", (batch) => {
  if (!sleep) answer(batch);
  else last = last.then(() => answerAsleep(batch)); // one at a time: a second batch waits its turn
});
process.send({ ready: true });
