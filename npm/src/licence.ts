// Under which licence a model is, as its file says it. A file of ours says it with its provenance, which stays with all that is
// made of it: what has learnt, and what is exported.

/** Of a file's header that is read. Those of networks are some hundred kilobytes. */
const MAX_HEADER_BYTES = 4 * 1024 ** 2;
/** Of a licence: its name is short, its whole text is not kept. */
const MAX_LENGTH = 1000;

/** Under which safetensors files say it: as one writes it, and as the ModelSpec has it. */
const KEYS = ["license", "licence", "modelspec.license"];

/** How a file of ours begins; its description follows, as JSON in a string. */
const BEGINNING = '{"__metadata__":{"webreid":';
/** In that; it stands there once, for in strings of the description the quotes are escaped. */
const PROVENANCE = '"provenance":{';

/** What a safetensors file says of its licence; undefined where it says nothing, and for all other files. */
export async function licenceOf(file: Blob): Promise<string | undefined> {
  const metadata = entry(parsed((await headerOf(file))?.text), "__metadata__");
  const provenance = entry(parsed(entry(metadata, "webreid")), "provenance");
  for (const said of [entry(provenance, "licence"), ...KEYS.map((key) => entry(metadata, key))]) {
    const licence = typeof said === "string" ? said.trim() : "";
    if (licence) return licence.length > MAX_LENGTH ? `${licence.slice(0, MAX_LENGTH)} …` : licence;
  }
  return undefined;
}

/**
 * A file of ours with what `of`, which it was made of, says of its licence in its provenance. Nothing else in it is written anew: no
 * number is spelt otherwise.
 */
export async function keepLicence(ours: Blob, of: Blob): Promise<Blob> {
  const [licence, header] = await Promise.all([licenceOf(of), headerOf(ours)]);
  const literal = header?.text.startsWith(BEGINNING) ? stringAt(header.text, BEGINNING.length) : "";
  const description = parsed(literal);
  if (licence === undefined || !header || typeof description !== "string") return ours;
  const at = description.lastIndexOf(PROVENANCE) + PROVENANCE.length;
  const hasIt = entry(entry(parsed(description), "provenance"), "licence") !== undefined;
  if (at < PROVENANCE.length || hasIt) return ours;
  const rest = description.slice(at);
  const added = `"licence":${JSON.stringify(licence)}${rest.startsWith("}") ? "" : ","}`;
  const said = JSON.stringify(description.slice(0, at) + added + rest);
  const others = header.text.slice(BEGINNING.length + literal.length).trimEnd();
  const bytes = new TextEncoder().encode(`${BEGINNING}${said}${others}`);
  // The numbers begin at a multiple of eight bytes.
  const padded = new Uint8Array(8 + Math.ceil(bytes.length / 8) * 8).fill(0x20);
  new DataView(padded.buffer).setBigUint64(0, BigInt(padded.length - 8), true);
  padded.set(bytes, 8);
  return new Blob([padded, ours.slice(header.end)], { type: ours.type });
}

/** A safetensors file's: eight bytes with its length, and so much JSON. */
async function headerOf(file: Blob): Promise<{ readonly text: string; readonly end: number } | undefined> {
  const start = await file.slice(0, 9).arrayBuffer();
  if (start.byteLength < 9 || new Uint8Array(start)[8] !== "{".charCodeAt(0)) return undefined;
  const length = new DataView(start).getBigUint64(0, true);
  if (length > MAX_HEADER_BYTES || 8 + Number(length) > file.size) return undefined;
  const end = 8 + Number(length);
  return { text: await file.slice(8, end).text(), end };
}

/** The string of JSON that begins there, with its quotes; whatever there is where it has no end. */
function stringAt(text: string, start: number): string {
  let end = start + 1;
  while (end < text.length && text[end] !== '"') end += text[end] === "\\" ? 2 : 1;
  return text.slice(start, end + 1);
}

/** Undefined for what is no JSON. */
function parsed(json: unknown): unknown {
  try {
    return typeof json === "string" ? JSON.parse(json) : undefined;
  } catch {
    return undefined;
  }
}

function entry(of: unknown, key: string): unknown {
  return typeof of === "object" && of !== null && Object.hasOwn(of, key) ? of[key as keyof typeof of] : undefined;
}
