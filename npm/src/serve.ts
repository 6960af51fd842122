// What every worker of the package does: it answers one request after another, and tells when it is spoilt.
import type { OnFraction } from "./connection.js";
import { isErrorData, type ReidErrorData } from "./errors.js";
import type { Reply } from "./protocol.js";

/** What answers a worker's requests, one at a time. */
export interface Service<R> {
  handle(request: R, onProgress: OnFraction): unknown;
  /** What a reply tells beside the call's value. */
  rest?(): object;
  /** Whether a GPU is being opened: what goes wrong meanwhile ends the worker. */
  opening?(): boolean;
  /** What of a call's value goes over to the page, and is not copied. */
  transfer?(value: unknown): Transferable[];
}

type Id = { readonly id: number };

export function serve<R extends Id>(service: Service<R>): void {
  const reply = (message: Reply, transfer: Transferable[] = []) => self.postMessage(message, { transfer });
  const crash = (message: string) => reply({ crash: message, opening: service.opening?.() ?? false });
  const receive = answering(service, reply);
  self.addEventListener("message", ({ data }: MessageEvent<R>) => receive(data));
  self.addEventListener("messageerror", () => crash("what it was sent cannot be read there"));
  self.addEventListener("error", (event) => {
    // The page would hear of it a second time.
    event.preventDefault();
    crash(event.message);
  });
  self.addEventListener("unhandledrejection", (event) => crash(String(event.reason)));
}

/** Takes requests, and replies to them in their order. */
export function answering<R extends Id>(
  service: Service<R>,
  reply: (message: Reply, transfer?: Transferable[]) => void,
): (request: R) => void {
  let queue: Promise<void> = Promise.resolve();
  const answer = async (request: R) => {
    const { id } = request;
    try {
      const value = await service.handle(request, (progress) => reply({ id, progress }));
      reply({ id, ...service.rest?.(), value }, service.transfer?.(value));
    } catch (error) {
      if (isErrorData(error) || !service.opening?.()) reply({ id, error: errorData(error) });
      else reply({ crash: error instanceof Error ? error.message : String(error), opening: true });
    }
  };
  return (request) => {
    queue = queue.then(() => answer(request));
  };
}

function errorData(error: unknown): ReidErrorData {
  if (isErrorData(error)) return { code: error.code, message: error.message, sides: error.sides };
  return { code: "internal", message: `The engine failed: ${error instanceof Error ? error.message : String(error)}` };
}
