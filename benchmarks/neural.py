"""How fast an engine with a network is here, from file to file: ``python -m benchmarks.neural ENGINE [--film FILE]``;
with ``--memory MINUTES …`` how much memory it takes.

The weights are random and of full size, which costs the same time as the published ones; what the mouth does then is
noise. They are installed as users install theirs. The rest is ``heygem bench --engine``.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from safetensors.torch import save_file
from torch import nn

from benchmarks.musetalk import published
from benchmarks.official.made import weights
from heygem import bench
from heygem.engines.nets.vae import Decoder, Encoder
from heygem.engines.nets.wav2lip import Wav2Lip
from heygem.engines.nets.whisper import Encoder as Whisper
from heygem.weights.store import WeightStore
from heygem.weights.table import needs

BUILDS: dict[str, tuple[str, Callable[[], list[nn.Module]]]] = {
    "wav2lip": ("", lambda: [Wav2Lip(96)]),
    "wav2lip-gan": ("", lambda: [Wav2Lip(96)]),
    "wav2lip-256": ("", lambda: [Wav2Lip(256)]),
    "wav2lip-288": ("", lambda: [Wav2Lip(288)]),
    "musetalk": ("", lambda: [published()]),
    "musetalk-1.0": ("", lambda: [published()]),
    "sd-vae": ("", lambda: [Encoder((128, 256, 512, 512), 4), Decoder((128, 256, 512, 512), 4)]),
    "whisper-tiny": ("encoder.", lambda: [Whisper(80, 384, 1500, 4)]),
}
"""Name of the weights -> what their names begin with, and the networks in them, at full size."""


def install(engine: str, home: Path) -> None:
    """Random weights of all that ``engine`` needs, in ``home``."""
    store = WeightStore(home / "weights")
    for row in needs(engine):
        prefix, build = BUILDS[row.name]
        with torch.device("meta"):
            nets = build()
        shapes = {prefix + name: value.shape for net in nets for name, value in net.state_dict().items()}
        file = home / f"{row.name}.safetensors"
        save_file(weights(shapes), file)
        store.add(file, row.name, rights=True)
        file.unlink()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("engine")
    parser.add_argument("--film", type=Path, help="of a person; without it one of 1080x1920 is made")
    parser.add_argument("--sound", type=Path, help="without it a voice as long as the film")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--memory", type=float, nargs="+", metavar="MINUTES", help="peaks for these lengths instead")
    parser.add_argument("--save", action="store_true", help="append the table to benchmarks/RESULTS.md")
    given = parser.parse_args()
    with TemporaryDirectory() as folder:
        install(given.engine, Path(folder))
        os.environ["HEYGEM_HOME"] = folder
        if given.memory:
            found = bench.memory(given.film, given.engine, given.memory)
        else:
            found = bench.speed(given.film, given.sound, rounds=given.rounds, engine=given.engine)
    found["clip"] += ", random weights of full size"
    print(bench.table(found))
    if given.save:
        bench.save(found)


if __name__ == "__main__":
    main()
