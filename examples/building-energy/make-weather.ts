/** Makes the two synthetic weather files, and prints where they are. */
import { generatedWeather } from "./generated-weather.ts";

for (const path of generatedWeather()) process.stdout.write(`${path}\n`);
