// What every worker of the package does: it answers one request after another, and tells when it is spoilt.
import type { OnFraction } from "./connection.js";
import { isErrorData, type ReidErrorData } from "./errors.js";
import type { Reply } from "./protocol.js";

export interface ServeOptions {
  /** What a reply tells beside the call's value. */
  rest?(): object;
  /** Whether a GPU is being opened: what goes wrong meanwhile ends the worker. */
  opening?(): boolean;
}

export function serve<R extends { readonly id: number }>(
  handle: (request: R, onProgress: OnFraction) => Promise<unknown>,
  options: ServeOptions = {},
): void {
  let queue: Promise<void> = Promise.resolve();
  const reply = (message: Reply) => self.postMessage(message);
  const answer = async (request: R) => {
    const { id } = request;
    try {
      const value = await handle(request, (progress) => reply({ id, progress }));
      reply({ id, ...options.rest?.(), value });
    } catch (error) {
      if (isErrorData(error) || !options.opening?.()) reply({ id, error: errorData(error) });
      else crash(error instanceof Error ? error.message : String(error));
    }
  };
  const crash = (message: string) => reply({ crash: message, opening: options.opening?.() ?? false });

  self.addEventListener("message", ({ data }: MessageEvent<R>) => {
    queue = queue.then(() => answer(data));
  });
  self.addEventListener("messageerror", () => crash("what it was sent cannot be read there"));
  self.addEventListener("error", (event) => {
    // The page would hear of it a second time.
    event.preventDefault();
    crash(event.message);
  });
  self.addEventListener("unhandledrejection", (event) => crash(String(event.reason)));
}

function errorData(error: unknown): ReidErrorData {
  if (isErrorData(error)) return { code: error.code, message: error.message, sides: error.sides };
  return { code: "internal", message: `The engine failed: ${error instanceof Error ? error.message : String(error)}` };
}
