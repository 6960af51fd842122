// The package's workers, started in the ways that pages allow.
import { type AssetFile, addressOf, givenAddress } from "./assets.js";
import { ReidError } from "./errors.js";
import { startInThread } from "./in-thread.js";

/** A worker's file, without its ending. */
export type Script = "worker" | "formats-worker" | "people-worker" | "trainer-worker";

/** As much of a Worker as is needed. */
export interface WorkerPort {
  postMessage(message: unknown, transfer: Transferable[]): void;
  addEventListener(type: "message", listener: (event: { readonly data: unknown }) => void): void;
  addEventListener(type: "error", listener: (event: { readonly message?: string }) => void): void;
  addEventListener(type: "messageerror", listener: () => void): void;
  terminate(): void;
  /** Whether the program is to go on while the worker is there, in runtimes where programs end by themselves. */
  ref?(): void;
  unref?(): void;
}

/** As bundlers know workers: word for word. */
const BESIDE: Readonly<Record<Script, () => Worker>> = {
  worker: () => new Worker(new URL("./worker.js", import.meta.url), { type: "module", name: "webreid" }),
  "formats-worker": () =>
    new Worker(new URL("./formats-worker.js", import.meta.url), { type: "module", name: "webreid-formats" }),
  "people-worker": () =>
    new Worker(new URL("./people-worker.js", import.meta.url), { type: "module", name: "webreid-people" }),
  "trainer-worker": () =>
    new Worker(new URL("./trainer-worker.js", import.meta.url), { type: "module", name: "webreid-trainer" }),
};

/** A name of its own: next to `new URL` bundlers would take it for a file of theirs. */
const HERE: string = import.meta.url;

export function startWorker(script: Script): WorkerPort {
  if (typeof Worker === "undefined") return startInThread(script);
  const file: AssetFile = `${script}.js`;
  try {
    if (givenAddress(file) !== undefined) return startAt(addressOf(file, new URL(file, HERE)));
    try {
      return BESIDE[script]();
    } catch (error) {
      // The package is another site's, or the page wants addresses of scripts vouched for (Trusted Types).
      if (!/^https?:/.test(HERE)) throw error;
      return startAt(new URL(file, HERE));
    }
  } catch (error) {
    if (error instanceof ReidError) throw error;
    throw new ReidError(
      "blocked",
      `The page may not start the package's worker (${error instanceof Error ? error.message : error}). Its content security ` +
        "policy must allow `worker-src 'self'`, `blob:` for a package on another site, and `trusted-types webreid` where it " +
        "asks for Trusted Types.",
      { cause: error },
    );
  }
}

function startAt(address: URL): Worker {
  const options = { type: "module", name: "webreid" } as const;
  if (address.origin === globalThis.location?.origin) return new Worker(trusted(address.href), options);
  // A worker is of its page's own site: this one imports the other's.
  return new Worker(trusted(importing(address.href)), options);
}

const importers = new Map<string, string>();

function importing(address: string): string {
  const known = importers.get(address);
  if (known !== undefined) return known;
  const script = new Blob([`import ${JSON.stringify(address)};`], { type: "text/javascript" });
  const made = URL.createObjectURL(script);
  importers.set(address, made);
  return made;
}

interface TrustedTypePolicy {
  createScriptURL(address: string): string;
}

let policy: TrustedTypePolicy | undefined;

/** Vouches for an address of ours, where pages want that. */
function trusted(address: string): string {
  const { trustedTypes } = globalThis as {
    trustedTypes?: { createPolicy(name: string, rules: TrustedTypePolicy): TrustedTypePolicy };
  };
  if (!trustedTypes) return address;
  policy ??= trustedTypes.createPolicy("webreid", { createScriptURL: (address) => address });
  return policy.createScriptURL(address);
}
