"""Recipe of ``assets/speech_motion.safetensors``: ``python -m heygem.training --media DIR``.

Tracks the clips (kept in --cache), trains, writes the weights and prints the figures on the held-out people.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from heygem.speech import motion
from heygem.training.data import fit_basis, load_clips
from heygem.training.evaluate import evaluate, table
from heygem.training.prepare import prepare, sources
from heygem.training.train import Recipe, align_clips, save, train


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m heygem.training", description=__doc__)
    parser.add_argument("--media", type=Path, required=True, help="folder with manifest.tsv, grid/ and talking/")
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "heygem-training")
    parser.add_argument("--evaluate", action="store_true", help="measure the shipped weights, train nothing")
    options = parser.parse_args(arguments)
    held_out = sources(options.media, "eval")
    prepare(options.media, options.cache, held_out)
    if not options.evaluate:
        make(options.media, options.cache, Recipe())
    print(table(evaluate(options.cache, held_out)))


def make(media: Path, cache: Path, recipe: Recipe) -> None:
    """Trains by the recipe on every clip marked ``train`` and writes the weights."""
    chosen = sources(media, "train")
    prepare(media, cache, chosen)
    clips = load_clips(cache, chosen)
    basis = fit_basis(clips)
    scout = train(clips, replace(recipe, steps=recipe.steps // 2), seed=recipe.seeds[0])
    align_clips([scout], clips)
    nets = [train(clips, recipe, seed) for seed in recipe.seeds]
    save(motion.ASSET, basis, nets, recipe)


if __name__ == "__main__":
    main()
