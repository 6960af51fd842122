/** ImageNet's, of red, green and blue: what the networks expect. */
const MEAN = [0.485, 0.456, 0.406] as const;
const STD = [0.229, 0.224, 0.225] as const;

/** The images, all of one size, as a network takes them: [batch, 3, height, width], normalised. */
export function networkInput(images: readonly ImageData[]): { values: Float32Array<ArrayBuffer>; shape: number[] } {
  const { width = 0, height = 0 } = images[0] ?? {};
  const pixels = width * height;
  const values = new Float32Array(images.length * 3 * pixels);
  images.forEach(({ data }, i) => {
    MEAN.forEach((mean, channel) => {
      const first = (3 * i + channel) * pixels;
      const std = STD[channel] ?? 1;
      for (let k = 0; k < pixels; k++) values[first + k] = ((data[4 * k + channel] ?? 0) / 255 - mean) / std;
    });
  });
  return { values, shape: [images.length, 3, height, width] };
}
