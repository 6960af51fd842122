// Where no worker can be started, as in a SharedWorker of Chrome: what a worker does is done here, and this thread is busy meanwhile.
import type { Reply } from "./protocol.js";
import { answering, type Service } from "./serve.js";
import type { Script, WorkerPort } from "./workers.js";

type AnyService = Service<{ readonly id: number }>;

const SERVICES: Readonly<Record<Script, () => Promise<unknown>>> = {
  worker: async () => new (await import("./engine-service.js")).EngineService(),
  "formats-worker": async () => (await import("./formats-service.js")).formatsService(),
  "people-worker": async () => (await import("./people-service.js")).peopleService(),
  "trainer-worker": async () => (await import("./trainer-service.js")).trainerService(),
};

export function startInThread(script: Script): WorkerPort {
  let listener: ((event: { readonly data: unknown }) => void) | undefined;
  let failed: ((event: { readonly message?: string }) => void) | undefined;
  const reply = (data: Reply) => listener?.({ data });
  const loading = SERVICES[script]().then((service) => answering(service as AnyService, reply));
  loading.catch((error: unknown) => failed?.({ message: String(error) }));
  return {
    postMessage(message, transfer) {
      // As it would cross to a worker: what is done with it there leaves the caller's alone.
      const data = structuredClone(message, { transfer }) as { readonly id: number };
      loading.then((receive) => receive(data)).catch(() => {});
    },
    addEventListener(type: string, added: (event: never) => void) {
      if (type === "message") listener = added as typeof listener;
      if (type === "error") failed = added as typeof failed;
    },
    terminate() {
      [listener, failed] = [undefined, undefined];
    },
  };
}
