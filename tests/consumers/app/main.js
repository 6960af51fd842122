// What every consumer builds: features of two photos, and a gallery of them.
import { Gallery, ReIdentifier } from "webreid";
import { before } from "./before.js";

before();

async function run() {
  const reid = await ReIdentifier.create({ device: "cpu", workers: 1 });
  const features = await reid.extract(["/photos/p01_1.jpg", "/photos/p02_1.jpg"]);
  const gallery = await Gallery.create({ reid });
  await gallery.add(["/photos/p01_1.jpg", "/photos/p01_2.jpg"], { person: "Ann" });
  const { people } = await gallery.people();
  return { features: features.map((feature) => Array.from(feature.values)), confirmed: people[0].confirmed.length };
}

globalThis.result = run().catch((error) => ({ error: `${error.code}: ${error.message}` }));
