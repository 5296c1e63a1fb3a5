// The main job of the README: the building-energy example, straight from its TypeScript.
import { createJiti } from "jiti";

await createJiti(import.meta.url).import("../examples/building-energy/main.ts");
