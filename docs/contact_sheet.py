"""Makes docs/contact_sheet.jpg: three results, original above result, the mouth enlarged.

    python docs/contact_sheet.py --media DIR

Only material that may be published: a clip of the GRID corpus (Cooke, Barker, Cunningham, Shao 2006; CC BY 4.0), NASA's
portrait of Eileen Collins (public domain, from scikit-image) in gentle motion, the official portrait of Joseph Biden
(public domain, US government), and a LibriVox reading of David Copperfield (public domain).
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import cv2
import numpy as np

from heygem import Avatar, lipsync, samples
from heygem.faces.shape import LIPS
from heygem.media.reader import VideoReader
from heygem.plan import source_plan

COLUMNS = 8
TILE = 200


def crops(video: Path, centres: np.ndarray, sides: np.ndarray, picks: list[int], numbers: list[int]) -> np.ndarray:
    """One row of mouths, (TILE, COLUMNS * TILE, 3) RGB: frames ``numbers``, placed as in source frames ``picks``."""
    tiles = []
    with VideoReader(video) as reader:
        for frame, source in zip(reader.frames(numbers), picks, strict=True):
            half = int(sides[source])
            x, y = np.clip(centres[source].astype(int), half, (frame.width - half, frame.height - half))
            tile = frame.rgb((x - half, y - half, x + half, y + half))
            tiles.append(cv2.resize(tile, (TILE, TILE), interpolation=cv2.INTER_CUBIC))
    return np.hstack(tiles)


def rows(video: Path, voice: Path, work: Path) -> np.ndarray:
    """Original above result at evenly spaced moments of speech."""
    take = lipsync(video, voice, work / f"{video.stem}_out.mp4", cache=work / "cache")
    avatar = Avatar.prepare(video, cache=work / "cache")
    plan = source_plan(len(avatar.weight), take.frames, "pingpong")
    lips = avatar.landmarks[:, list(LIPS), :2]
    centres, sides = lips.mean(axis=1), np.ptp(lips[:, :, 0], axis=1) * 1.05
    moments = list(range(12, 12 + 4 * COLUMNS, 4))
    picks = plan[moments].tolist()
    above = crops(video, centres, sides, picks, picks)
    return np.vstack([above, crops(take.path, centres, sides, picks, moments)])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--media", type=Path, required=True, help="the folder of clips")
    parser.add_argument("--out", type=Path, default=Path(__file__).with_name("contact_sheet.jpg"))
    arguments = parser.parse_args()
    voice = arguments.media / "speech" / "copperfield_02.mp3"
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        smiling = samples.clip(work / "smiling.mp4", seconds=4, size=(720, 720), face=240)
        faces = [arguments.media / "grid" / "bbaf2n.mp4", smiling]
        faces.append(arguments.media / "portraits" / "biden_official_970x2204.jpg")
        sheet = np.vstack([rows(face, voice, work) for face in faces])
    cv2.imwrite(str(arguments.out), cv2.cvtColor(sheet, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 88])
    print(arguments.out)


if __name__ == "__main__":
    main()
