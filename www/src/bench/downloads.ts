// How much a visitor downloads for each contender: its script and its module, without the weights.

export interface Download {
  readonly what: string;
  readonly files: readonly FileSize[];
}

export interface FileSize {
  readonly name: string;
  /** Bytes as they are used, as this server sent them, and as a server that compresses would. */
  readonly raw: number;
  readonly sent: number;
  readonly gzipped: number;
}

/** What of this page's files is webreid's: the package's script, its worker and its module. */
const OURS = /\/(webreid|worker|webreid_relaxed|webreid(_relaxed)?_bg)-[^/]*\.(js|wasm)$/;

export function webreidFiles(): string[] {
  const names = performance.getEntriesByType("resource").map(({ name }) => name);
  return [...new Set(names.filter((name) => OURS.test(name)))];
}

/** They were all loaded before: this takes them out of the browser's cache. */
export async function measureDownload(what: string, urls: readonly string[], signal: AbortSignal): Promise<Download> {
  const files: FileSize[] = [];
  for (const url of urls) files.push(await measureFile(new URL(url, location.href).href, signal));
  return { what, files };
}

async function measureFile(url: string, signal: AbortSignal): Promise<FileSize> {
  const response = await fetch(url, { cache: "force-cache", signal });
  const blob = await response.blob();
  const gzip = new Response(blob.stream().pipeThrough(new CompressionStream("gzip")));
  const timings = performance.getEntriesByName(url, "resource") as PerformanceResourceTiming[];
  return {
    name: url.replace(/.*\//, ""),
    raw: blob.size,
    sent: Math.max(...timings.map(({ encodedBodySize }) => encodedBodySize)) || blob.size,
    gzipped: (await gzip.arrayBuffer()).byteLength,
  };
}
