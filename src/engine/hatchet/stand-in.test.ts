import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, it, vi } from "vitest";
import { FULL } from "../../../test/faults/seed.ts";
import type { Weather } from "../../../test/servers/hatchet-misbehaviour.ts";
import { type HatchetStandIn, startHatchetStandIn } from "../../../test/servers/hatchet-stand-in.ts";
import { engineSuite } from "../engine.testsuite.ts";
import type { Json, Programs, TreeProgram } from "../engine.ts";
import { hatchetEngine } from "./hatchet.ts";
import type { HatchetOptions } from "./options.ts";

const SLOTS = 3;
const SEED = 5;
const MINUTE_MS = 60_000;
const LOST_REPLIES: Partial<Weather> = { refuseCalls: 0.07, dropReplies: 0.07, delayReplies: 0.1 };
const LATE_NEWS: Partial<Weather> = {
  delayActions: 0.1,
  reorderActions: 0.1,
  delayNotices: 0.1,
  reorderNotices: 0.2,
  doubleNotices: 0.3,
};

/** An engine with a worker in this process and a server of its own, whose weather turns once the worker is there. */
async function engineIn(programs: Programs, weather: Partial<Weather>, leafLimitMs = MINUTE_MS) {
  const server = await startHatchetStandIn({ seed: SEED });
  const {
    HATCHET_CLIENT_TOKEN: token,
    HATCHET_CLIENT_HOST_PORT: hostPort,
    HATCHET_CLIENT_API_URL: apiUrl,
  } = server.env;
  const route = { code: {}, requires: {}, leafScheduleMs: MINUTE_MS, leafSilenceMs: leafLimitMs };
  const options: HatchetOptions = {
    connection: { token: token!, hostPort: hostPort!, apiUrl: apiUrl! },
    namespace: "",
    routes: Object.fromEntries(Object.keys(programs).map((name) => [name, route])),
    worker: {
      name: "ScytheWorker--Test",
      slots: SLOTS,
      nodeSlots: 2,
      labels: {},
      doesFan: true,
      doesLeaf: true,
      graceMs: 2_000,
      additionalWorkflows: [],
    },
    nodeScheduleMs: MINUTE_MS,
    nodeExecutionMs: MINUTE_MS,
    log: () => undefined,
  };
  const engine = hatchetEngine(programs, options);
  const worker = await engine.serve();
  server.misbehave.set(weather);
  const stop = async () => {
    server.misbehave.calm();
    await worker.stop();
    await server.close();
  };
  return { engine, server, worker: { stop, done: worker.done, leave: () => worker.stop() } };
}

beforeAll(() => {
  vi.stubEnv("HATCHET_CLIENT_TLS_STRATEGY", "none");
});
afterAll(() => {
  vi.unstubAllEnvs();
});

engineSuite("hatchetEngine on the stand-in", SLOTS, (programs) => engineIn(programs, {}));
/** The contract in bad weather is for `npm run test:faults`; the storms below are for `npm test`, too. */
if (FULL) {
  engineSuite("hatchetEngine on the stand-in in bad weather", SLOTS, (programs) =>
    engineIn(programs, { ...LOST_REPLIES, ...LATE_NEWS, resetNotices: 0.03 }),
  );
}

type Node = {
  name: string;
  waves: number[];
  children: Node[];
};

/** A program with a storage, as the real one has: what is done is known, whoever asks, however often. */
function storedProgram() {
  const leaves = new Set<string>();
  const merged = new Map<string, Json>();
  const count: TreeProgram<Node, string> = {
    expand: async ({ name, waves, children }) => {
      for (const [wave, size] of waves.entries()) {
        const named = Array.from({ length: size }, (_, i) => `${name}/${wave}/${i}`).filter(
          (leaf) => !leaves.has(leaf),
        );
        const nodes = wave === 0 ? children.filter((child) => !merged.has(child.name)) : [];
        if (named.length + nodes.length > 0) return { leaves: named, nodes };
      }
      return {};
    },
    leaf: async (leaf) => {
      await sleep(20);
      leaves.add(leaf);
      return { done: true };
    },
    merge: async ({ name }) => {
      merged.set(name, { leaves: [...leaves].filter((leaf) => leaf.startsWith(name)).length });
      return merged.get(name)!;
    },
    lookupLeaf: async (leaf) => (leaves.has(leaf) ? { done: true } : undefined),
    lookupRoot: async ({ name }) => merged.get(name),
  };
  return { count };
}

const TREE: Node = {
  name: "root",
  waves: [4, 3],
  children: ["root.0", "root.1", "root.2"].map((name) => ({ name, waves: [3], children: [] })),
};
const LEAVES = 4 + 3 + 3 * 3;

interface Storm {
  name: string;
  weather: Partial<Weather>;
  /** What must have happened. */
  seen: string[];
  leafLimitMs?: number;
  tree?: Node;
  before?: (server: HatchetStandIn) => void;
  during?: (server: HatchetStandIn) => void;
}

const STORMS: Storm[] = [
  {
    name: "calls are refused, and replies lost or late",
    weather: { refuseCalls: 0.15, dropReplies: 0.15, delayReplies: 0.3 },
    seen: ["refuseCalls", "dropReplies", "delayReplies"],
  },
  {
    name: "news come late, twice and in disorder",
    weather: { delayActions: 0.3, reorderActions: 0.3, delayNotices: 0.3, reorderNotices: 0.5, doubleNotices: 0.5 },
    seen: ["delayActions", "reorderActions", "delayNotices", "reorderNotices", "doubleNotices"],
  },
  { name: "tasks are given twice", weather: { doubleActions: 0.5 }, seen: ["doubleActions"] },
  {
    name: "leaves are lost on their way, at first",
    weather: {},
    seen: ["loseActions", "timedOut"],
    leafLimitMs: 2_000,
    before: ({ misbehave }) => misbehave.loseStarts(3, (task) => task.endsWith("_leaf")),
  },
  { name: "running tasks are given to others", weather: { reassign: 0.5 }, seen: ["reassigned", "staleReports"] },
  {
    name: "nobody is told of an end",
    weather: { loseNotices: 1 },
    seen: ["loseNotices"],
    tree: { name: "root", waves: [3], children: [] },
  },
  {
    name: "the worker's stream breaks",
    weather: {},
    seen: ["resetStreams"],
    during: ({ misbehave }) => misbehave.resetStreams("workers"),
  },
  {
    name: "the root's time limit passes",
    weather: {},
    seen: ["timedOut"],
    during: ({ misbehave }) => misbehave.expireRunning((task) => task.endsWith("_node0")),
  },
  {
    name: "the time limits of all that runs pass",
    weather: {},
    seen: ["timedOut"],
    during: ({ misbehave }) => misbehave.expireRunning(),
  },
  {
    name: "all streams break, and running tasks are given to others",
    weather: { resetNotices: 0.1, dropReplies: 0.05, refuseCalls: 0.05, doubleActions: 0.1 },
    seen: ["resetStreams", "reassigned"],
    during: ({ misbehave }) => {
      misbehave.reassignRunning();
      misbehave.resetStreams();
    },
  },
];

describe("hatchetEngine completes a run, every leaf counted once, though", () => {
  it.concurrent.for(STORMS)(
    "$name",
    async ({ weather, seen, leafLimitMs, tree = TREE, before, during }, { expect }) => {
      const { engine, server, worker } = await engineIn(storedProgram(), weather, leafLimitMs);
      try {
        before?.(server);
        const run = await engine.start("count", tree);
        while ((server.counters.actions ?? 0) < 3) await sleep(5);
        during?.(server);
        expect(await run.result()).toEqual({ leaves: tree === TREE ? LEAVES : 3 });
        expect(await run.status()).toBe("succeeded");
        for (const fault of seen) expect(server.counters[fault], fault).toBeGreaterThan(0);
      } finally {
        await worker.stop();
      }
    },
  );
});

describe("hatchetEngine, given every task twice,", () => {
  it("works on it once, and reports both deliveries", async ({ expect }) => {
    const steps: string[] = [];
    let bothDelivered = () => false;
    const once: TreeProgram = {
      expand: async (_node, settled) => {
        steps.push("expand");
        return settled.length > 0 ? {} : { leaves: ["leaf"] };
      },
      leaf: async () => {
        steps.push("leaf");
        while (!bothDelivered()) await sleep(5);
        return null;
      },
      merge: async () => {
        steps.push("merge");
        return { done: true };
      },
      lookupLeaf: async () => undefined,
      lookupRoot: async () => undefined,
    };
    const { engine, server, worker } = await engineIn({ count: once }, { doubleActions: 1 });
    bothDelivered = () => (server.calls.SendStepActionEvent ?? 0) >= 4; // the node and the leaf, each begun twice
    try {
      const run = await engine.start("count", null);
      expect(await run.result()).toEqual({ done: true });
      expect(steps).toEqual(["expand", "leaf", "expand", "merge"]);
      while ((server.calls.SendStepActionEvent ?? 0) < 8) await sleep(5);
      expect(server.counters.doubleActions).toBe(2);
    } finally {
      await worker.stop();
    }
  });
});

describe("hatchetEngine, given a leaf that another worker had,", () => {
  it("does not run it again when its result is in storage", async ({ expect }) => {
    let ran = 0;
    const stuck = new AbortController();
    const unreported: TreeProgram = {
      expand: async (_node, settled) => (settled.length > 0 ? {} : { leaves: ["leaf"] }),
      leaf: async () => {
        ran++;
        await new Promise((resolve) => stuck.signal.addEventListener("abort", resolve)); // its report is lost
        return { ran };
      },
      merge: async () => ({ ran }),
      lookupLeaf: async () => (ran > 0 ? { ran } : undefined),
      lookupRoot: async () => undefined,
    };
    const { engine, server, worker } = await engineIn({ count: unreported }, {});
    try {
      const run = await engine.start("count", null);
      while (ran === 0) await sleep(5);
      server.misbehave.reassignRunning((task) => task.endsWith("_leaf"));
      expect(await run.result()).toEqual({ ran: 1 });
    } finally {
      stuck.abort();
      await worker.stop();
    }
  });
});

describe("hatchetEngine, whose worker stops while another one is there,", () => {
  it("goes on there: neither the root nor its leaves count as failed", async ({ expect }) => {
    const begun: string[] = [];
    const done = new Set<string>();
    const stopping = new AbortController();
    const program: TreeProgram = {
      expand: async () => ({ leaves: ["a", "b", "c", "d"].filter((leaf) => !done.has(leaf)) }),
      leaf: async (leaf, { signal }) => {
        begun.push(String(leaf));
        while (!stopping.signal.aborted) await sleep(5);
        if (!signal.aborted) done.add(String(leaf)); // as a chunk that ends after its spec
        signal.throwIfAborted();
        return null;
      },
      merge: async () => ({ done: [...done].sort() }),
      lookupLeaf: async (leaf) => (done.has(String(leaf)) ? null : undefined),
      lookupRoot: async () => undefined,
    };
    const { engine, worker } = await engineIn({ count: program }, {});
    const run = await engine.start("count", null);
    while (begun.length < SLOTS) await sleep(5);
    const other = await engine.serve();
    try {
      const left = worker.leave();
      stopping.abort();
      await left;
      expect(await run.result()).toEqual({ done: ["a", "b", "c", "d"] });
      expect(await run.status()).toBe("succeeded");
    } finally {
      await other.stop();
      await worker.stop();
    }
  });
});
