"""Recipe of ``assets/speech_motion.safetensors``: ``python -m heygem.training --media DIR``.

Tracks the clips (kept in --cache), trains on synthetic speech and then on the clips, writes the weights and prints the
figures on the held-out people. Needs espeak-ng.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from heygem.speech import motion
from heygem.training.batches import Sampling
from heygem.training.data import fit_basis, load_clips
from heygem.training.evaluate import evaluate, table
from heygem.training.prepare import prepare, sources
from heygem.training.synthetic import synthetic_clips
from heygem.training.train import Recipe, align_clips, save, train, train_all

SPOKEN = 900
"""Synthetic clips: two hours."""
EARLY = Recipe(drop=0.1, steps=2500, rate=3e-3, shut=0.5, sampling=Sampling(tempo=0.15))
"""On synthetic speech: what sounds are, in anybody's voice."""
LATE = Recipe()
"""On real faces: what mouths do with them."""
SEEDS = (0, 1, 2, 3)
"""One network each; their mean speaks."""


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m heygem.training", description=__doc__)
    parser.add_argument("--media", type=Path, required=True, help="folder with manifest.tsv, grid/ and talking/")
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "heygem-training")
    parser.add_argument("--evaluate", action="store_true", help="measure the shipped weights, train nothing")
    options = parser.parse_args(arguments)
    held_out = sources(options.media, "eval")
    prepare(options.media, options.cache, held_out)
    if not options.evaluate:
        make(options.media, options.cache)
    print(table(evaluate(options.cache, held_out)))


def make(media: Path, cache: Path) -> None:
    """Trains by the recipe on every clip marked ``train`` and writes the weights."""
    chosen = sources(media, "train")
    prepare(media, cache, chosen)
    clips = load_clips(cache, chosen)
    basis = fit_basis(clips)
    early = train_all(synthetic_clips(SPOKEN), EARLY, SEEDS, [None] * len(SEEDS))
    scout = train(clips, replace(LATE, steps=LATE.steps // 2), SEEDS[0], early[0])
    align_clips([scout], clips)
    nets = train_all(clips, LATE, SEEDS, early)
    save(motion.ASSET, basis, nets, f"{EARLY.hash}-{LATE.hash}")


if __name__ == "__main__":
    main()
