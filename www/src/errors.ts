import { ReidError } from "webreid";

export function isAborted(error: unknown): boolean {
  return error instanceof ReidError ? error.code === "aborted" : error instanceof Error && error.name === "AbortError";
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Without the file's name, which the list shows by itself. */
export function reasonOf(error: ReidError): string {
  const prefix = `${error.image?.name}: `;
  return error.message.startsWith(prefix) ? error.message.slice(prefix.length) : error.message;
}

/** Without the ending that tells the format. */
export function withoutEnding(fileName: string): string {
  return fileName.replace(/\.(safetensors|pth|pt|tar|onnx|xml)$/i, "");
}
