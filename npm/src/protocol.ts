// What the page and the worker say to each other: one reply to each request, by number.
import type { DevicePreference } from "./device.js";
import type { EngineDescription, Extraction } from "./engine.js";
import type { ReidErrorData } from "./errors.js";
import type { ImagePayload } from "./image.js";

export interface Calls {
  create: {
    request: { module: WebAssembly.Module; weights: Blob; fileName: string; device: DevicePreference };
    reply: CreatedModel;
  };
  extract: { request: { images: readonly ImagePayload[]; names: readonly string[] }; reply: Extraction[] };
  exportWeights: { request: Record<never, never>; reply: Blob };
}

export interface CreatedModel {
  readonly description: EngineDescription;
  readonly deviceReason: string;
  /** How many images one `extract` should carry: as many as still let a cancel through soon. */
  readonly batchSize: number;
}

export type CallName = keyof Calls;

export type Request = { [K in CallName]: { id: number; call: K } & Calls[K]["request"] }[CallName];

export type Reply =
  | { readonly id: number; readonly value: Calls[CallName]["reply"] }
  | { readonly id: number; readonly error: ReidErrorData }
  /** Something threw outside a call, as a panic in a Rust task does: nothing in this worker can be trusted any more. */
  | { readonly crash: string };
