/** A worker in a process of its own, for the time of a measurement. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

const READY_MS = 120_000;
const END_MS = 30_000;

/** `scythe worker` in bench/project, on the Hatchet server that the environment names. */
export function startScytheWorker(storage, slots, env = {}) {
  const scythe = fileURLToPath(new URL("../dist/cli/main.js", import.meta.url));
  const args = [scythe, "worker", "--storage", storage, "--slots", String(slots)];
  const cwd = fileURLToPath(new URL("./project", import.meta.url));
  return startWorker(process.execPath, args, { cwd, env, ready: " serves " });
}

/** Starts a worker and waits until it has said that it is ready; `stop` ends it and what it has started. */
export async function startWorker(command, args, { cwd, env, ready }) {
  const options = { cwd, env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe"], detached: true };
  const child = spawn(command, args, options);
  const ended = once(child, "exit");
  const killAll = () => kill(-child.pid, "SIGKILL");
  process.once("exit", killAll);
  const stop = async () => {
    kill(child.pid, "SIGTERM");
    const last = setTimeout(killAll, END_MS);
    await ended;
    clearTimeout(last);
    killAll();
    process.off("exit", killAll);
  };
  let said = "";
  const begun = await new Promise((resolve) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text) => {
        said = (said + text).slice(-10_000);
        if (said.includes(ready)) resolve(true);
      });
    }
    child.once("exit", () => resolve(false));
    setTimeout(() => resolve(false), READY_MS).unref();
  });
  if (begun) return { stop };
  await stop();
  throw new Error(`${command} ${args.join(" ")} did not begin:\n${said}`);
}

function kill(pid, signal) {
  try {
    process.kill(pid, signal);
  } catch {
    // it has ended
  }
}
