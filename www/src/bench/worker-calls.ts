// Calls to a worker of the benchmark's own, answered one after another.

type Table<C> = { [K in keyof C]: { request: object; reply: unknown } };
type Reply = { readonly value: unknown } | { readonly error: string };

/** In the worker. */
export function answering<C extends Table<C>>(
  handlers: {
    [K in keyof C]: (request: C[K]["request"]) => C[K]["reply"] | Promise<C[K]["reply"]>;
  },
): void {
  self.addEventListener("message", async ({ data }: MessageEvent<{ call: keyof C; request: never }>) => {
    let reply: Reply;
    try {
      reply = { value: await handlers[data.call](data.request) };
    } catch (error) {
      reply = { error: error instanceof Error ? error.message : JSON.stringify(error) };
    }
    self.postMessage(reply);
  });
}

/** On the page. It ends with the signal. */
export class Calls<C extends Table<C>> {
  readonly #worker: Worker;
  readonly #signal: AbortSignal;
  readonly #onAbort = () => this.end("It was cancelled.");
  #fail: ((error: Error) => void) | undefined;
  #done: ((value: never) => void) | undefined;

  constructor(worker: Worker, signal: AbortSignal) {
    this.#worker = worker;
    this.#signal = signal;
    worker.addEventListener("message", ({ data }: MessageEvent<Reply>) => {
      if ("error" in data) this.#fail?.(new Error(data.error));
      else this.#done?.(data.value as never);
    });
    worker.addEventListener("error", ({ message }) => this.end(`The worker failed: ${message}`));
    signal.addEventListener("abort", this.#onAbort);
  }

  call<K extends keyof C>(call: K, request: C[K]["request"]): Promise<C[K]["reply"]> {
    return new Promise((resolve, reject) => {
      if (this.#signal.aborted) reject(new Error("It was cancelled."));
      [this.#done, this.#fail] = [resolve, reject];
      this.#worker.postMessage({ call, request });
    });
  }

  end(reason = "The worker was ended."): void {
    this.#signal.removeEventListener("abort", this.#onAbort);
    this.#worker.terminate();
    this.#fail?.(new Error(reason));
  }
}
