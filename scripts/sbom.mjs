// Prints what the package brings along, with hashes and licences, on every platform: a CycloneDX SBOM. npm makes it of
// the whole lockfile; what only develops the package is taken out here, as `npm sbom --omit dev` also leaves out what the
// product and its development share.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

const root = new URL("..", import.meta.url);
const { packages } = JSON.parse(readFileSync(new URL("package-lock.json", root), "utf8"));
const args = ["sbom", "--sbom-format", "cyclonedx", "--package-lock-only"];
const shell = process.platform === "win32"; // npm is a script there
const output = execFileSync("npm", args, { cwd: root, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"], shell });
const sbom = JSON.parse(output);

const isShipped = ({ dev, devOptional, peer }) => !dev && !devOptional && !peer;
const shipped = new Set(
  Object.entries(packages)
    .filter(([path, entry]) => path !== "" && isShipped(entry))
    .map(([path, { version }]) => `${path.split("node_modules/").at(-1)}@${version}`),
);
const idOf = ({ name, version }) => `${name}@${version}`;
sbom.components = sbom.components.filter((component) => shipped.has(idOf(component)));
const kept = new Set([sbom.metadata.component["bom-ref"], ...sbom.components.map((component) => component["bom-ref"])]);
sbom.dependencies = sbom.dependencies
  .filter(({ ref }) => kept.has(ref))
  .map(({ ref, dependsOn }) => ({ ref, dependsOn: dependsOn.filter((other) => kept.has(other)) }));
console.log(JSON.stringify(sbom, null, 2));
