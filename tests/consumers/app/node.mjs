// In Node: what the others find, from files.
import { readFile } from "node:fs/promises";
import { pathToFileURL } from "node:url";
import { Gallery, ReIdentifier } from "webreid";

const folder = process.argv[2];
const path = (name) => `${folder}/${name}`;
const reid = await ReIdentifier.create({ workers: 1 });
// A path, the file's bytes, and an address.
const features = await reid.extract([path("p01_1.jpg"), await readFile(path("p02_1.jpg"))]);
const gallery = await Gallery.create({ reid });
await gallery.add([pathToFileURL(path("p01_1.jpg")), path("p01_2.jpg")], { person: "Ann" });
const { people } = await gallery.people();
process.stdout.write(
  JSON.stringify({ features: features.map(({ values }) => Array.from(values)), confirmed: people[0].confirmed.length }),
);
// Neither is disposed of: nothing that is idle keeps a program from its end.
