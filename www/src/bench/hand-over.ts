import { messageOf } from "../errors.ts";
import { saveFile } from "../view/save-file.ts";
import { byId, setText } from "./dom.ts";

/** Has the two buttons copy and save what was measured, as JSON. */
export function handOver(copy: string, save: string, fileName: string, asJson: () => string): void {
  const status = byId("status", HTMLParagraphElement);
  byId(copy, HTMLButtonElement).addEventListener("click", () => {
    navigator.clipboard.writeText(asJson()).then(
      () => setText(status, "Copied."),
      (error: unknown) => setText(status, `The browser did not allow to copy: ${messageOf(error)}`),
    );
  });
  byId(save, HTMLButtonElement).addEventListener("click", () => {
    saveFile(new File([asJson()], fileName, { type: "application/json" }));
  });
}
