#!/usr/bin/env python3
"""Lays out the training images of four public repositories as folders of `PPPP_cC_….{jpg,png}` (person, camera).

    models/prepare-data.py MARKET CUHK PETA PA100K OUT

MARKET, CUHK, PETA and PA100K are clones (work trees or bare) of
    https://github.com/doge-ac-cn/deepsort_resnet_market1501  at c43fac69
    https://github.com/manideep2510/CUHK03_dataset            at 6fdef3b5
    https://github.com/snake719/ML_data                       at efd90a83
    https://github.com/viewyuhaitao/Rethink_PAR               at 645a320f
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
    pa100k/  2,000 images of PA-100K, each as a person of its own: of these only the teacher's features are to be learnt

Look at the licences of these datasets before you use them: they are for research.
"""

import pathlib
import re
import subprocess
import sys
import tarfile

MARKET_COMMIT = "c43fac69"
CUHK_COMMIT = "6fdef3b5"
PETA_COMMIT = "efd90a83"
PA100K_COMMIT = "645a320f"
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


def main():
    if len(sys.argv) != 6:
        sys.exit(__doc__)
    market_repository, cuhk_repository, peta_repository, pa100k_repository, out = sys.argv[1:]
    sources = {
        "market": (market, market_repository),
        "cuhk03": (cuhk03, cuhk_repository),
        "cuhk01": (cuhk01, cuhk_repository),
        "peta": (peta, peta_repository),
        "pa100k": (pa100k, pa100k_repository),
    }
    for folder, (images, repository) in sources.items():
        target = pathlib.Path(out) / folder
        target.mkdir(parents=True)
        names, people = 0, {}
        for name, data in images(repository):
            with open(target / name, "xb") as file:
                file.write(data)
            names += 1
            people.setdefault(name[:4], set()).add(name.split("_")[1][:2])
        both = sum(len(cameras) > 1 for cameras in people.values())
        print(f"{folder}: {names} images of {len(people)} persons, {both} of them seen by two cameras or more")


if __name__ == "__main__":
    main()
