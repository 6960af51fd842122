#!/usr/bin/env python3
"""Lays out the training images of seven public repositories as folders of `PPPP_cC_….{jpg,png}` (person, camera).

    models/prepare-data.py MARKET CUHK PETA PA100K SCENES FASHION INRIA OUT

All but the last are clones (work trees or bare) of
    https://github.com/doge-ac-cn/deepsort_resnet_market1501  at c43fac69
    https://github.com/manideep2510/CUHK03_dataset            at 6fdef3b5
    https://github.com/snake719/ML_data                       at efd90a83
    https://github.com/viewyuhaitao/Rethink_PAR               at 645a320f
    https://github.com/brianhuster/human-dataset              at 9d1b33dd
    https://github.com/bearpaw/clothing-co-parsing            at fe34fb77
    https://github.com/sturkmen72/HOG-object-detection        at a4cc2317
and OUT is a folder that does not exist yet. It then holds

    market/  the 751 training persons of Market-1501 under their own names (the repository keeps them as train/ and val/)
    cuhk03/  843 persons of CUHK03's first pair of cameras, each cropped by hand (labeled) and by a detector (detected):
             both under one person number, the repository's plus 1, since 0 means "distractor" in such names. Its val/
             counts from 0 again and shows other persons, who are numbered on after train/'s. Images 00–04 of a person
             are camera 1, 05–09 camera 2.
    cuhk01/  971 persons of CUHK01, images 001 and 002 of camera 1, 003 and 004 of camera 2
    peta/    those of PETA's sources that say who is who: VIPeR, PRID, GRID, 3DPeS, CAVIAR4REID, i-LIDS, SARC3D and MIT,
             the persons numbered on from one to the next. The first three say which of two cameras saw them; of the
             others all images count as one camera's. Left out are CUHK (the same campus as above, without numbers) and
             TownCentre (filmed in a street without consent).
    pa100k/  2,000 images of PA-100K, each as a person of its own: of these only the teacher's features are to be learnt.
             So it is with the next three.
    scenes/  the upright boxes of a detection dataset (Roboflow "Human Dataset", CC BY 4.0): streets, events, albums.
             Without its drone flights, its synthetic figure and a room filmed from one place.
    fashion/ 2,098 photographs of street fashion (Clothing Co-Parsing)
    inria/   2,416 people of the INRIA Person dataset, every second one a mirror image

It needs Pillow for the last three, which are cut out of larger pictures.

Look at the licences of these datasets before you use them: they are for research.
"""

import io
import pathlib
import re
import subprocess
import sys
import tarfile

from PIL import Image

MARKET_COMMIT = "c43fac69"
CUHK_COMMIT = "6fdef3b5"
PETA_COMMIT = "efd90a83"
PA100K_COMMIT = "645a320f"
SCENES_COMMIT = "9d1b33dd"
FASHION_COMMIT = "fe34fb77"
INRIA_COMMIT = "a4cc2317"
VALIDATION_OFFSET = 1000  # above every person number of CUHK03's train/


def files(repository, commit, folder):
    """(name below the folder, bytes) of every file in a folder of a commit."""
    command = ["git", "-C", repository, "archive", "--format=tar", commit, folder]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as git:
        with tarfile.open(fileobj=git.stdout, mode="r|") as archive:
            for member in archive:
                if member.isfile():
                    yield member.name[len(folder) + 1 :], archive.extractfile(member).read()
    if git.returncode:
        sys.exit(f"{repository} has no {folder} at {commit}: fetch that commit")


def market(repository):
    for part in ["train", "val"]:
        for name, data in files(repository, MARKET_COMMIT, f"dataset/people_reid/{part}"):
            name = name.split("/")[-1]
            if re.fullmatch(r"\d{4}_c\ds\d_\d{6}_\d\d\.jpg", name):
                yield name, data


def cuhk03(repository):
    for crop in ["labeled", "detected"]:
        for part, offset in [("train", 1), ("val", VALIDATION_OFFSET + 1)]:
            for name, data in files(repository, CUHK_COMMIT, f"{crop}/{part}"):
                if match := re.fullmatch(r"(\d{4})_(\d\d)\.jpg", name):
                    person, image = map(int, match.groups())
                    camera = 1 if image < 5 else 2
                    yield f"{person + offset:04}_c{camera}_{crop}_{image:02}.jpg", data


def cuhk01(repository):
    for name, data in files(repository, CUHK_COMMIT, "CUHK01/campus"):
        if match := re.fullmatch(r"(\d{4})(\d{3})\.png", name):
            person, image = match[1], int(match[2])
            camera = 1 if image < 3 else 2
            yield f"{person}_c{camera}_{image:03}.png", data


def peta(repository):
    number = 0
    for source in ["VIPeR", "PRID", "GRID", "3DPeS", "CAVIAR4REID", "i-LID", "SARC3D", "MIT"]:
        people = {}
        for name, data in files(repository, PETA_COMMIT, f"PETA dataset/{source}/archive"):
            if name != "Label.txt":
                person = name.split("_")[0]
                # 0000 of GRID are strangers, to each other as well.
                people.setdefault(name if person == "0000" else person, []).append((name, data))
        for images in (people[person] for person in sorted(people)):
            number += 1
            for name, data in sorted(images):
                stem, extension = name.rsplit(".", 1)
                parts = stem.split("_")
                camera = {"VIPeR": parts[-1], "PRID": parts[1], "GRID": parts[1]}.get(source, "1")
                camera = {"a": "1", "b": "2"}.get(camera, camera)
                yield f"{number:04}_c{camera}_{source}_{stem}.{extension}", data


def pa100k(repository):
    for number, (name, data) in enumerate(files(repository, PA100K_COMMIT, "data/PA100k/data"), 1):
        if name.endswith(".jpg"):
            yield f"{number:04}_c1_{name}", data


def scenes(repository):
    """Boxes at least 92 of the scene's 416 pixels tall and as upright as people are, with a little around them."""
    unwanted = re.compile(r"human_tracking|^person_\d|^-\d|^DJI_")
    number = 0
    for part in ["train", "valid", "test"]:
        labels = {name.removesuffix(".txt"): data for name, data in files(repository, SCENES_COMMIT, f"{part}/labels")}
        for name, data in files(repository, SCENES_COMMIT, f"{part}/images"):
            if unwanted.search(name):
                continue
            boxes = [tuple(map(float, line.split()[1:])) for line in labels[name.removesuffix(".jpg")].decode().splitlines()]
            people = [
                box for box in boxes if len(box) == 4 and box[3] >= 0.22 and box[2] * 416 >= 20 and 1.5 <= box[3] / box[2] <= 5
            ]
            for x, y, width, height in people:
                number += 1
                around = (x - 0.53 * width, y - 0.52 * height, x + 0.53 * width, y + 0.52 * height)
                yield f"{number:05}_c1.jpg", cut(data, around, (96, 192))


def fashion(repository):
    """The middle of each photograph, where the person stands."""
    for name, data in files(repository, FASHION_COMMIT, "photos"):
        if match := re.fullmatch(r"(\d{4})\.jpg", name):
            yield f"{match[1]}_c1.jpg", cut(data, (0.17, 0.02, 0.83, 0.98), (96, 192))


def inria(repository):
    """The middle of 96×160, in which the person is 96 pixels tall."""
    for number, (name, data) in enumerate(files(repository, INRIA_COMMIT, "INRIAPerson/96X160H96/Train/pos"), 1):
        if name.endswith(".png"):
            yield f"{number:04}_c1.jpg", cut(data, (0.22, 0.15, 0.78, 0.85), (96, 192))


def cut(data, box, size):
    """A part of a picture, in shares of its sides, as a JPEG of that size."""
    image = Image.open(io.BytesIO(data)).convert("RGB")
    left, top, right, bottom = (max(0.0, min(1.0, share)) for share in box)
    part = image.crop((int(left * image.width), int(top * image.height), int(right * image.width), int(bottom * image.height)))
    out = io.BytesIO()
    part.resize(size, Image.BICUBIC).save(out, "JPEG", quality=92)
    return out.getvalue()


def main():
    if len(sys.argv) != 9:
        sys.exit(__doc__)
    market_repository, cuhk_repository, peta_repository, pa100k_repository = sys.argv[1:5]
    scenes_repository, fashion_repository, inria_repository, out = sys.argv[5:]
    sources = {
        "market": (market, market_repository),
        "cuhk03": (cuhk03, cuhk_repository),
        "cuhk01": (cuhk01, cuhk_repository),
        "peta": (peta, peta_repository),
        "pa100k": (pa100k, pa100k_repository),
        "scenes": (scenes, scenes_repository),
        "fashion": (fashion, fashion_repository),
        "inria": (inria, inria_repository),
    }
    for folder, (images, repository) in sources.items():
        target = pathlib.Path(out) / folder
        target.mkdir(parents=True)
        names, people = 0, {}
        for name, data in images(repository):
            with open(target / name, "xb") as file:
                file.write(data)
            names += 1
            people.setdefault(name.split("_")[0], set()).add(name.split("_")[1][:2])
        both = sum(len(cameras) > 1 for cameras in people.values())
        print(f"{folder}: {names} images of {len(people)} persons, {both} of them seen by two cameras or more")


if __name__ == "__main__":
    main()
