// Where the package's other files are: beside this one, as bundlers find them, unless the page says otherwise.
import { ReidError } from "./errors.js";
import { checkOptions, type Rules } from "./options.js";

const FILES = [
  "worker.js",
  "formats-worker.js",
  "people-worker.js",
  "trainer-worker.js",
  "wasm/webreid_bg.wasm",
  "wasm/webreid_relaxed_bg.wasm",
  "wasm/webreid_formats_bg.wasm",
  "wasm/webreid_people_bg.wasm",
  "wasm/webreid_train_bg.wasm.gz",
  "webreid-small.safetensors",
  "nanodet-g.safetensors",
] as const;

/** The files of the package's `dist` folder that are fetched when they are needed. */
export type AssetFile = (typeof FILES)[number];

export interface ConfigureOptions {
  /**
   * The address of a copy of the package's `dist` folder, on any site that lets this page read it (CORS); or the addresses of
   * single files. Relative ones are relative to the page. Undefined: back to where the package itself lies.
   */
  readonly assets?: string | URL | Readonly<Partial<Record<AssetFile, string | URL>>> | undefined;
}

const isAddress = (value: unknown) => typeof value === "string" || value instanceof URL;

const ADDRESS = [isAddress, "an address"] as const;
const ADDRESSES = Object.fromEntries(FILES.map((file) => [file, ADDRESS])) as unknown as Rules<
  Record<AssetFile, unknown>
>;
const OPTIONS: Rules<ConfigureOptions> = {
  assets: [(value) => isAddress(value) || typeof value === "object", "an address, or addresses of files"],
};

let assets: ConfigureOptions["assets"];

/**
 * Says where the package's other files are: its workers, WebAssembly and weights. Call it before anything else; what was loaded
 * stays as it is. Not needed where a bundler knows `new URL(…, import.meta.url)`, as Vite, webpack and Parcel do, nor where the
 * package is imported as it is. Throws a `ReidError` with `bad-input`.
 */
export function configure(options: ConfigureOptions): void {
  checkOptions("options", options ?? null, OPTIONS);
  const given = options.assets;
  if (given !== undefined && !isAddress(given)) checkOptions("options.assets", given, ADDRESSES);
  assets = given;
}

/** The address that the page has given for a file. */
export function givenAddress(file: AssetFile): string | URL | undefined {
  if (assets === undefined) return undefined;
  if (typeof assets === "object" && !(assets instanceof URL)) return assets[file];
  const folder = new URL(String(assets), globalThis.document?.baseURI ?? globalThis.location?.href ?? "file:///");
  if (!folder.pathname.endsWith("/")) folder.pathname += "/";
  return new URL(file, folder);
}

/** Where a file is. */
export function addressOf(file: AssetFile, own: URL): URL {
  const given = givenAddress(file);
  if (given === undefined) return own;
  try {
    return new URL(given, globalThis.document?.baseURI ?? globalThis.location?.href ?? own);
  } catch (error) {
    throw new ReidError("bad-input", `"${given}", which \`configure\` was given for ${file}, is not a URL.`, {
      cause: error,
    });
  }
}
