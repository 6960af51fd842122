// Videos, which a browser records here: the red detector takes red squares for people.
import type { Page } from "@playwright/test";
import { expect, test } from "./support/app.ts";

/** Drops a video of three seconds with two squares, one of which comes later, and then a file that only says it is a video. */
async function dropVideos(page: Page): Promise<void> {
  await page.evaluate(async () => {
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = 256;
    const context = canvas.getContext("2d") as CanvasRenderingContext2D;
    const recorder = new MediaRecorder(canvas.captureStream(25), { mimeType: "video/webm" });
    const parts: Blob[] = [];
    recorder.ondataavailable = ({ data }) => parts.push(data);
    const stopped = new Promise((resolve) => {
      recorder.onstop = resolve;
    });
    recorder.start();
    const began = performance.now();
    for (let time = 0; time < 3000; time = performance.now() - began) {
      context.fillStyle = "rgb(128, 128, 128)";
      context.fillRect(0, 0, 256, 256);
      context.fillStyle = "rgb(255, 0, 0)";
      // The network's cells are 32 pixels wide here: the square stays in one, and jumps to the next.
      context.fillRect(32 + 32 * Math.floor(time / 1500), 96, 32, 32);
      if (time > 1800) context.fillRect(192, 96, 32, 32);
      await new Promise((resolve) => setTimeout(resolve, 40));
    }
    recorder.stop();
    await stopped;
    const data = new DataTransfer();
    data.items.add(new File(parts, "party.webm", { type: "video/webm" }));
    data.items.add(new File(["not a video"], "broken.mp4", { type: "video/mp4" }));
    dispatchEvent(new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true }));
  });
}

test("whoever is in a video is followed, and is one picture", async ({ app, page }) => {
  await app.start();
  await dropVideos(page);
  await expect(page.getByText(/^Watching party\.webm: 0:0\d of 0:0\d/)).toBeVisible();
  await expect(app.status).toHaveText(/^Done: 1 photo read\. 2 pictures of people/);
  await expect(app.problems).toHaveText(/^broken\.mp4 This browser cannot play this video/);
  await app.show("Photos");
  await app.photos.getByRole("button", { name: "party.webm, 2 people" }).click();
  await expect(app.sheet.getByLabel("Video party.webm, 2 people followed")).toBeVisible();
  const there = app.sheet.getByRole("list", { name: "In this video" }).getByRole("button");
  await expect(there).toHaveCount(2);
  await expect(there.first()).toHaveText(/0:00–0:02/);
  await expect(there.last()).toHaveText(/0:02/);
  await expect(there.first().getByRole("presentation").or(there.first().locator("img"))).toBeVisible();
  await app.sheet.getByRole("button", { name: "Remove video" }).click();
  await expect(page.getByRole("heading", { name: "Who is on which photo?" })).toBeVisible();
  await page.keyboard.press("Control+z");
  await expect(app.photos.locator(".state")).toHaveText("2 people");
});
