import { ReidError } from "webreid";

export function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}

export function count(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? "" : "s"}`;
}

export function isAborted(error: unknown): boolean {
  return error instanceof ReidError && error.code === "aborted";
}

/** Without the file's name, which the list shows by itself. */
export function reasonOf(error: ReidError): string {
  const prefix = `${error.image?.name}: `;
  return error.message.startsWith(prefix) ? error.message.slice(prefix.length) : error.message;
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** A time to wait, as exactly as an estimate deserves. */
export function duration(seconds: number): string {
  if (seconds < 8) return "a few seconds";
  if (seconds < 90) return `about ${Math.ceil(seconds / 10) * 10} seconds`;
  if (seconds < 90 * 60) return `about ${Math.round(seconds / 60)} minutes`;
  return `about ${Math.round(seconds / 3600)} hours`;
}

/** Without the ending that tells the format. */
export function withoutEnding(fileName: string): string {
  return fileName.replace(/\.(safetensors|pth|pt|tar|onnx|xml)$/i, "");
}
