declare module "exifr/dist/mini.esm.mjs" {
  export { default } from "exifr";
}
