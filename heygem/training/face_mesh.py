"""Recipe of ``assets/face_mesh.npz``: the triangles of the face mesh and a symmetric mean face.

Run ``python -m heygem.training.face_mesh --media DIR``. The mean face is the generalised Procrustes mean (Gower 1975)
of one frame of each GRID and government-address clip, mirrored and averaged, so that nobody's turn stays in.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import av
import numpy as np
from scipy.optimize import linear_sum_assignment

from heygem.faces.shape import ASSET, EYES, STABLE, align, eye_normalise

SIZE = 512


def triangles() -> np.ndarray:
    """(854, 3) int16: every 3-cycle of MediaPipe's published tesselation edges."""
    from mediapipe.python.solutions.face_mesh_connections import FACEMESH_TESSELATION

    near: dict[int, set[int]] = {}
    for a, b in FACEMESH_TESSELATION:
        near.setdefault(a, set()).add(b)
        near.setdefault(b, set()).add(a)
    found = {tuple(sorted((a, b, c))) for a in near for b in near[a] for c in near[a] & near[b]}
    return np.array(sorted(found), np.int16)


def faces(clips: list[Path]) -> np.ndarray:
    """(people, 468, 3) landmarks in px of a frame in the middle of each clip where a face is found."""
    from mediapipe.python.solutions.face_mesh import FaceMesh

    rows = []
    with FaceMesh(static_image_mode=True, max_num_faces=1) as mesh:
        for clip in clips:
            with av.open(str(clip)) as container:
                for n, frame in enumerate(container.decode(video=0)):
                    if n < 20:
                        continue
                    found = mesh.process(frame.to_ndarray(format="rgb24")).multi_face_landmarks  # pyright: ignore
                    if found:
                        scale = np.array([frame.width, frame.height, frame.width])
                        rows.append(np.array([(p.x, p.y, p.z) for p in found[0].landmark]) * scale)
                    break
    return np.array(rows)


def mean_face(landmarks: np.ndarray) -> np.ndarray:
    """(468, 3) symmetric mean in canonical units."""
    mean = eye_normalise(landmarks[0])
    for _ in range(5):
        shapes, _ = align(landmarks, mean)
        mean = eye_normalise(shapes.mean(axis=0))
    mirrored = mean * (-1, 1, 1)
    distance = np.linalg.norm(mean[:, None] - mirrored[None], axis=2)
    partner = linear_sum_assignment(distance**2)[1]  # who is whose mirror image
    for _ in range(5):
        turned, _ = align((mean * (-1, 1, 1))[partner][None], mean)
        mean = eye_normalise((mean + turned[0]) / 2)
    return eye_normalise((mean + (mean * (-1, 1, 1))[partner]) / 2)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--media", type=Path, required=True)
    media: Path = parser.parse_args().media
    clips = sorted((media / "talking").glob("grid_*")) + sorted((media / "talking").glob("hdtf_*"))
    clips += [media / "talking" / name for name in ("latentsync_demo1.mp4", "latentsync_demo3.mp4", "retalking_2.mp4")]
    mean = mean_face(faces(clips + sorted((media / "grid").glob("*.mp4"))[:3]))
    print("people", len(clips), "eyes", mean[list(EYES)].round(3).tolist(), "stable points", len(STABLE))
    np.savez_compressed(ASSET, triangles=triangles(), mean=mean.astype(np.float32))


if __name__ == "__main__":
    main()
