"""How many people `reid detect` finds, and how many of those it finds are people.

    python3 tests/detect/measure.py --reid target/release/reid --vtest vtest.avi --penn-fudan PennFudanPed

- vtest.avi is a surveillance camera's 768x576, 795 frames; Debian has it in `opencv-doc`
  (/usr/share/doc/opencv-doc/examples/data/vtest.avi), OpenCV in samples/data. Twelve of its frames are labelled in
  vtest.json beside this script: all people of about 40 pixels and more in height, [left, top, right, bottom] in pixels;
  what is "unclear" counts neither way. A folder with the frames as 000.png, 066.png ... does as well.
- Penn-Fudan is https://www.cis.upenn.edu/~jshi/ped_html/PennFudanPed.zip, unpacked: 170 photos with 423 people.

A box is somebody if it overlaps a labelled one, that no better box has, by half (intersection over union). "R@P90" is the
recall at the lowest score from which nine of ten boxes are people; "recall" and "precision" are of what is told unasked.
With --other the figures of another detector stand beside: what it found, in JSON as `reid detect --json` prints it.
Needs numpy, and OpenCV (opencv-python-headless) to read the video.
"""

import argparse
import json
import pathlib
import re
import subprocess
import sys
import tempfile

import numpy as np

HERE = pathlib.Path(__file__).parent
# The labels have everybody from about 40 pixels on, and nobody below.
LEAST_HEIGHT = 50


def vtest(source, folder):
    """The labelled frames as files with their labels."""
    labels = json.loads((HERE / "vtest.json").read_text())
    if source.is_dir():
        frames = {name: source / f"{int(name):03}.png" for name in labels}
    else:
        import cv2

        frames, video = {}, cv2.VideoCapture(str(source))
        for number in range(max(map(int, labels)) + 1):
            good, image = video.read()
            if not good:
                sys.exit(f"{source}: frame {number} cannot be read")
            if str(number) in labels:
                frames[str(number)] = folder / f"{number:03}.png"
                cv2.imwrite(str(frames[str(number)]), image)
    return {str(frames[name]): label for name, label in labels.items()}


def penn_fudan(source):
    label = re.compile(r"\(Xmin, Ymin\) - \(Xmax, Ymax\) : \((\d+), (\d+)\) - \((\d+), (\d+)\)")
    photos = {}
    for file in sorted((source / "Annotation").glob("*.txt")):
        people = [[int(side) for side in match] for match in label.findall(file.read_text(errors="replace"))]
        photos[str(source / "PNGImages" / f"{file.stem}.png")] = {"people": people}
    return photos


def detect(options, tiles, photos, *more):
    """The boxes of each photo, [left, top, right, bottom], with their scores."""
    detector = ["--weights", options.detector] if options.detector else []
    command = [options.reid, "detect", "--json", "--tiles", tiles, "--device", options.device, *more]
    found = subprocess.run([*command, *detector, *photos], capture_output=True, check=False, text=True)
    if found.returncode != 0:
        sys.exit(found.stderr)
    return boxes(json.loads(found.stdout))


def boxes(photos):
    def corners(person):
        x, y, width, height = person["box"]
        return [x, y, x + width, y + height]

    return {photo["image"]: [(corners(person), person["score"]) for person in photo["people"]] for photo in photos}


def shared(box, others):
    """The area that a box shares with each of others, and what they cover together."""
    others = np.array(others, float).reshape(-1, 4)
    sides = np.minimum(box[2:], others[:, 2:]) - np.maximum(box[:2], others[:, :2])
    inside = sides.clip(0).prod(1)
    area = lambda boxes: (boxes[..., 2] - boxes[..., 0]) * (boxes[..., 3] - boxes[..., 1])
    return inside, area(np.array(box, float)) + area(others) - inside


def judged(photos, found):
    """Whether each box is somebody, best first with its score, and how many people there are."""
    judgements, count = [], 0
    for photo, label in photos.items():
        is_small = lambda box: box[3] - box[1] < LEAST_HEIGHT
        people = [box for box in label["people"] if not is_small(box)]
        unclear = label.get("unclear", []) + [box for box in label["people"] if is_small(box)]
        count, taken = count + len(people), set()
        for box, score in sorted(found[photo], key=lambda person: -person[1]):
            inside, covered = shared(box, people)
            overlaps = [0 if person in taken else overlap for person, overlap in enumerate(inside / covered)]
            best = int(np.argmax(overlaps)) if overlaps else None
            if best is not None and overlaps[best] >= 0.5:
                taken.add(best)
                judgements.append((score, True))
                continue
            area = (box[2] - box[0]) * (box[3] - box[1])
            # A box that small, or on what is unclear, is nobody's fault.
            if not any(shared(box, unclear)[0] > area / 2):
                judgements.append((score, False))
    return sorted(judgements, key=lambda judgement: -judgement[0]), count


def row(name, photos, found, usual):
    """Of all that is found, and of what is told at the usual scores."""
    judgements, count = judged(photos, found)
    right = np.cumsum([is_person for _, is_person in judgements])
    enough = np.flatnonzero(right / np.arange(1, len(judgements) + 1) >= 0.9)
    best = (right[enough[-1]] / count, judgements[enough[-1]][0]) if len(enough) else (0, 1)
    told, _ = judged(photos, usual)
    people = sum(is_person for _, is_person in told)
    print(
        f"{name:<28} {len(photos):>6} {count:>6} {best[0]:>7.1%} {best[1]:>6.2f}"
        f" {people / count:>7.1%} {people / max(len(told), 1):>9.1%}",
        flush=True,
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reid", default="reid", help="the command")
    parser.add_argument("--detector", help="the detector's file, unless it is where `reid detect` looks for it")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--tiles", default="off,416", help="how photos are looked at, separated by commas")
    parser.add_argument("--vtest", type=pathlib.Path)
    parser.add_argument("--penn-fudan", type=pathlib.Path)
    parser.add_argument("--other", type=pathlib.Path, help="what another detector found in the same files")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        sets = {}
        if options.vtest:
            sets["vtest"] = vtest(options.vtest, pathlib.Path(folder))
        if options.penn_fudan:
            sets["Penn-Fudan"] = penn_fudan(options.penn_fudan)
        if not sets:
            parser.error("give --vtest or --penn-fudan")
        print(f"{'':<28} {'photos':>6} {'people':>6} {'R@P90':>7} {'from':>6} {'recall':>7} {'precision':>9}")
        for name, photos in sets.items():
            for tiles in options.tiles.split(","):
                found = detect(options, tiles, photos, "--min-score", "0.05")
                row(f"{name}, tiles {tiles}", photos, found, detect(options, tiles, photos))
            if options.other:
                other = boxes(json.loads(options.other.read_text()))
                by_name = {pathlib.Path(photo).name: people for photo, people in other.items()}
                others = {photo: by_name.get(pathlib.Path(photo).name, []) for photo in photos}
                row(f"{name}, {options.other.stem}", photos, others, others)


if __name__ == "__main__":
    main()
