import { styleText } from "node:util";

type Format = Parameters<typeof styleText>[0];
export type Paint = (text: string) => string;

/** Colours for one stream; every function gives its text back as it is when the stream shows no colours. */
export interface Style {
  bold: Paint;
  dim: Paint;
  red: Paint;
  green: Paint;
  yellow: Paint;
  cyan: Paint;
}

/** `NO_COLOR`, `FORCE_COLOR` and a stream that is no terminal are Node's to judge. */
export function styleFor(stream: NodeJS.WriteStream): Style {
  return styles((format) => (text) => styleText(format, text, { stream }));
}

export const PLAIN: Style = styles(() => (text) => text);

function styles(paint: (format: Format) => Paint): Style {
  return {
    bold: paint("bold"),
    dim: paint("dim"),
    red: paint("red"),
    green: paint("green"),
    yellow: paint("yellow"),
    cyan: paint("cyan"),
  };
}
