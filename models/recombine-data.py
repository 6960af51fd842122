#!/usr/bin/env python3
"""Makes new people of those in folders of training images: images whose features only the teacher can tell.

    models/recombine-data.py PEOPLE SEED OUT FOLDER…

Writes PEOPLE persons of four images each, `PPPP_c1_….jpg` of 64×128 pixels, into the new folder OUT. A person is made of
two: above the hips one of FOLDER…, below another. Their clothes get other colours, the same in all four images, and every
image the light, exposure, sharpness and framing of a camera of its own. A student that copies a teacher on the images of
four datasets has seen the clothes and the cameras of these four; on these it copies how the teacher looks at others
(consistent teaching: Beyer et al., Knowledge distillation: A good teacher is patient and consistent, 2022). For the
teacher to be consistent its features are to be computed from these images.
"""

import collections
import io
import pathlib
import re
import sys

import numpy as np
from PIL import Image, ImageFilter

WIDTH, HEIGHT = 64, 128
IMAGES = 4


def hue_rotation(angle):
    """The matrix that turns colours about the grey axis."""
    cos, sin = np.cos(angle), np.sin(angle)
    third, root = (1 - cos) / 3, np.sqrt(1 / 3) * sin
    return np.array([
        [cos + third, third - root, third + root],
        [third + root, cos + third, third - root],
        [third - root, third + root, cos + third],
    ])


def recolour(random):
    """Other clothes: colours turned and made stronger or weaker, as a matrix."""
    angle = random.uniform(-np.pi, np.pi) if random.random() < 0.5 else random.normal(0, 0.3)
    grey = np.full((3, 3), 1 / 3)
    strength = random.uniform(0.5, 1.5)
    return hue_rotation(angle) @ (strength * np.eye(3) + (1 - strength) * grey)


def camera(random, pixels):
    """An image as another camera may have taken it: pixels are [height, width, 3] in 0…1."""
    if random.random() < 0.5:
        pixels = pixels[:, ::-1]
    # Framing: up to an eighth is cut off or added, as a loose detector does.
    dy, dx = (int(round(random.uniform(-0.06, 0.1) * size)) for size in (HEIGHT, WIDTH))
    margin = max(0, -dy, -dx)
    padded = np.pad(pixels, ((margin, margin), (margin, margin), (0, 0)), mode="edge")
    top, left = max(0, dy) + margin - max(0, -dy), max(0, dx) + margin - max(0, -dx)
    bottom, right = padded.shape[0] - top, padded.shape[1] - left
    shift = int(round(random.uniform(-0.04, 0.04) * HEIGHT))
    top, bottom = max(0, top + shift), min(padded.shape[0], bottom + shift)
    pixels = padded[top:bottom, left:right]
    # Light: a cast, the exposure, the contrast.
    gains = np.exp(random.normal(0, 0.1, 3)) * np.exp(random.normal(0, 0.15))
    pixels = np.clip(pixels, 0, 1) ** np.exp(random.normal(0, 0.25))
    middle = pixels.mean()
    pixels = (pixels - middle) * np.exp(random.normal(0, 0.15)) + middle
    image = Image.fromarray(np.uint8(np.clip(pixels * gains, 0, 1) * 255 + 0.5))
    if random.random() < 0.25:
        factor = random.uniform(0.35, 0.9)
        small = max(8, int(image.width * factor)), max(16, int(image.height * factor))
        image = image.resize(small, Image.BILINEAR)
    image = image.resize((WIDTH, HEIGHT), Image.BICUBIC)
    if random.random() < 0.2:
        image = image.filter(ImageFilter.GaussianBlur(random.uniform(0.3, 1.0)))
    return image


def read(path):
    image = Image.open(path).convert("RGB").resize((WIDTH, HEIGHT), Image.BICUBIC)
    return np.asarray(image, dtype=np.float64) / 255


def main():
    if len(sys.argv) < 5:
        sys.exit(__doc__)
    count, seed, out = int(sys.argv[1]), int(sys.argv[2]), pathlib.Path(sys.argv[3])
    people = collections.defaultdict(list)
    for folder in sys.argv[4:]:
        for path in sorted(pathlib.Path(folder).iterdir()):
            if match := re.match(r"(\d+)_c\d", path.name):
                people[folder, match[1]].append(path)
    keys = sorted(people)
    random = np.random.default_rng(seed)
    out.mkdir(parents=True)
    rows = np.arange(HEIGHT)[:, None, None] / HEIGHT
    for number in range(1, count + 1):
        upper, lower = (people[keys[random.integers(len(keys))]] for _ in range(2))
        if random.random() < 0.25:
            lower = upper
        hips, colours = random.uniform(0.42, 0.58), [recolour(random) for _ in range(2)]
        above = 1 / (1 + np.exp((rows - hips) * 60))
        for index in range(IMAGES):
            top, bottom = (images[random.integers(len(images))] for images in (upper, lower))
            if lower is upper:
                bottom = top
            top, bottom = (read(path) @ matrix.T for path, matrix in zip((top, bottom), colours))
            image = camera(random, above * top + (1 - above) * bottom)
            data = io.BytesIO()
            image.save(data, "JPEG", quality=int(random.integers(50, 96)))
            (out / f"{number:04}_c1_{index}.jpg").write_bytes(data.getvalue())
    print(f"{out}: {count} persons, {count * IMAGES} images")


if __name__ == "__main__":
    main()
