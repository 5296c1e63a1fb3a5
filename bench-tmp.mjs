import { openProject } from "scythe-ts";
import { performance } from "node:perf_hooks";
import * as g from "./bench/peers/spec-generator.mjs";
console.log(Object.keys(g));
const n = Number(process.argv[2] ?? 1000);
const s = await openProject("/work/main/examples/orbital-dynamics", { storage: "/tmp/b/data", ...(process.argv[3]?{engine:process.argv[3]}:{}) });
console.log(s.registry.names);
const t = performance.now();
const run = await s.allocate("orbital_scalars", g.specs ? g.specs(n) : g.generateSpecs(n));
console.log('allocated', performance.now()-t, process.memoryUsage().rss/1e6);
const r = await run.result().catch(e=>{console.error(e, e.cause); process.exit(1)});
console.log('done', performance.now()-t, process.memoryUsage().rss/1e6, process.resourceUsage().maxRSS/1e3, n/(performance.now()-t)*1000,'specs/s');
console.log(r.report);
for await (const row of r.rows()) { console.log(row); break; }
console.log(await r.query("select count(*) n, min(sort_index) a, max(sort_index) b from scalars"));
await s.close();
