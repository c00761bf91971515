"""The recipe on made-up people: components are found, a network learns what the sound tells, the measures are right."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file

from heygem.faces.shape import MOUTH, gap, mean_face, width
from heygem.quality.lips import closures
from heygem.speech.features import RATE, mel_power
from heygem.speech.motion import mouth_basis
from heygem.training.batches import Batches, Sampling
from heygem.training.data import COMPONENTS, Clip, fit_basis, load_clip, mirror, rows_in, symmetric
from heygem.training.evaluate import correlations, evaluate, figures, table
from heygem.training.prepare import HELD_OUT, Source, sources, track
from heygem.training.train import Recipe, align_clips, predict, save, train, train_all

FPS = 25.0
SECONDS = 8


def opened_and_wide(opening: np.ndarray, widening: np.ndarray) -> np.ndarray:
    """(N, 468, 3) displacement: the lower lip and chin fall, the corners of the mouth move outwards."""
    face = mean_face()
    offsets = np.zeros((len(opening), 468, 3))
    lower = [point for point in MOUTH if face[point, 1] > face[13, 1] + 0.02]
    offsets[:, lower, 1] = opening[:, None]
    for corner, side in ((61, -1), (291, 1)):
        offsets[:, corner, 0] = side * widening
    return offsets


def talker(seed: int, person: str = "grid_s1") -> Clip:
    """Somebody whose mouth opens as far as a noise is loud, and widens as it hisses."""
    rng = np.random.default_rng(seed)
    time = np.arange(SECONDS * RATE) / RATE
    loud = 0.5 + 0.5 * np.sin(2 * np.pi * (rng.uniform(1, 2) * time + rng.uniform()))
    hiss = 0.5 + 0.5 * np.sin(2 * np.pi * (rng.uniform(0.3, 0.8) * time + rng.uniform()))
    noise = rng.normal(size=len(time))
    samples = (0.02 + loud) * (
        hiss * np.diff(noise, append=0) + (1 - hiss) * np.convolve(noise, np.ones(8) / 4, "same")
    )
    power = mel_power(samples.astype(np.float32))
    frames = (np.arange(int(SECONDS * FPS)) / FPS * RATE).astype(int)
    offsets = opened_and_wide(0.2 * loud[frames], 0.05 * hiss[frames]).astype(np.float32)
    return Clip(f"clip{seed}", person, FPS, power, np.ones(len(power)), offsets, gap(offsets))


@pytest.fixture(scope="module")
def clips() -> list[Clip]:
    return [talker(seed, "grid_s1" if seed < 3 else f"person{seed}") for seed in range(6)]


@pytest.fixture(scope="module")
def basis(clips: list[Clip]):
    return fit_basis(clips)


def test_first_component_opens_second_rounds(basis) -> None:
    assert gap(basis.components)[0] > 0.05
    assert width(basis.components)[1] < -0.02
    assert abs(width(basis.components)[0]) < 0.01
    assert np.abs(basis.components[0, [10, 151, 33, 263]]).max() < 1e-3


def test_rows_are_normalised_and_rest_is_the_closed_mouth(basis, clips: list[Clip]) -> None:
    for clip in clips:
        assert np.allclose(clip.rows.mean(axis=0)[:2], 0, atol=1e-6)
        assert np.allclose(clip.rows.std(axis=0)[:2], 1, atol=1e-6)
    closed = np.zeros((1, 468, 3))
    assert np.allclose(basis.rows_of(closed), basis.rest, atol=1e-4)


def test_rows_of_new_clips_mean_the_same(basis, clips: list[Clip]) -> None:
    new = talker(99)
    rows_in([new], basis)
    assert np.corrcoef(new.rows[:, 0], gap(new.offsets))[0, 1] > 0.99
    assert np.corrcoef(new.rows[:, 1], -width(new.offsets))[0, 1] > 0.99


def test_mirror_is_an_involution_and_symmetry_drops_turns() -> None:
    assert np.array_equal(mirror()[mirror()], np.arange(468))
    assert mirror()[61] == 291 and mirror()[13] == 13
    turned = np.zeros((1, 468, 3))
    turned[..., 0] = 0.1  # everything moved to one side
    assert np.allclose(symmetric(turned), 0)
    opened = opened_and_wide(np.array([0.2]), np.array([0.1]))
    assert np.allclose(symmetric(opened)[:, [14, 61]], opened[:, [14, 61]], atol=1e-6)


def test_batches_respect_lag_and_weight(basis, clips: list[Clip]) -> None:
    """A clip whose picture is late hands out the rows of later frames."""
    plain = Sampling(batch=1, crop=128, studio=1.0, tempo=0.0, warp=0.0)
    late = talker(0)
    late.rows, late.lag = clips[0].rows, 0.2
    drawn = [Batches([clip], plain, np.random.default_rng(5)).draw() for clip in (clips[0], late)]
    (_, rows, _, weight), (_, later, _, _) = drawn
    assert weight.mean() > 0.8
    assert torch.allclose(rows[0, 10:25, 0], later[0, 5:20, 0], atol=1e-4)


@pytest.mark.timeout(60)
def test_a_small_network_learns_and_finds_the_lag(basis, clips: list[Clip], tmp_path: Path) -> None:
    sampling = Sampling(batch=6, crop=128, warp=0.02)
    recipe = Recipe(channels=16, steps=120, rate=1e-2, sampling=sampling)
    net = train(clips[:-1], recipe, seed=0)
    unseen = clips[-1]
    rows, _ = predict([net], unseen)
    at = np.interp(unseen.times, np.arange(len(rows)) / 25, rows[:, 0])
    assert np.corrcoef(at, unseen.rows[:, 0])[0, 1] > 0.8

    late = talker(5, "late")
    late.rows = np.roll(unseen.rows, 2, axis=0)  # the picture comes two frames after the sound
    align_clips([net], [*clips[:3], late])
    assert late.lag - clips[0].lag == pytest.approx(2 / FPS, abs=0.03)
    for clip in clips:
        clip.lag = 0.0

    save(tmp_path / "w.safetensors", basis, [net], recipe.hash)
    stored = load_file(tmp_path / "w.safetensors")
    assert stored["basis.components"].shape == (COMPONENTS, 468, 3) and "net0.head.weight" in stored


def test_training_is_seeded(basis, clips: list[Clip]) -> None:
    recipe = Recipe(channels=8, steps=3, sampling=Sampling(batch=2, crop=64))
    first, again, other = (train(clips, recipe, seed).state_dict() for seed in (1, 1, 2))
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["head.weight"], other["head.weight"])
    assert recipe.hash == Recipe(channels=8, steps=3, sampling=Sampling(batch=2, crop=64)).hash != Recipe().hash


def test_correlation_finds_the_lag() -> None:
    true = np.random.default_rng(0).normal(size=100)
    assert int(np.argmax(correlations(np.roll(true, -1), true))) == 3  # made is one frame early
    assert correlations(np.zeros(100), true) == [0.0] * 5


def test_training_goes_on_from_another_network(basis, clips: list[Clip]) -> None:
    recipe = Recipe(channels=8, steps=1, rate=1e-9, sampling=Sampling(batch=2, crop=64))
    begun = train(clips, recipe, 1)
    for net in train_all(clips, recipe, (2, 3), [begun, begun]):
        assert torch.allclose(net.head.weight, begun.head.weight, atol=1e-6)


def test_closures_are_counted_once_and_met_within_a_frame() -> None:
    true = np.zeros(30, bool)
    true[[3, 4, 10, 20]] = True
    made = np.zeros(30, bool)
    made[[5, 11, 23]] = True
    found = closures(made, true)
    assert found.event_recall == found.event_precision == pytest.approx(2 / 3)
    assert np.isnan(closures(made, np.zeros(30, bool)).event_recall)


def test_figures_of_a_silent_clip() -> None:
    clip = talker(1)
    rows_in([clip], mouth_basis())
    found = figures(clip, np.zeros(SECONDS * RATE, np.float32))
    assert found.opening == 0 and found.still == 0 and found.recall == 1


def test_clip_from_a_track_with_a_lost_face(tmp_path: Path) -> None:
    face = (mean_face() * 100 + 200).astype(np.float32)
    landmarks = face + 100 * opened_and_wide(np.linspace(0, 0.3, 50), np.zeros(50)).astype(np.float32)
    landmarks[10:14] = np.nan
    samples = np.random.default_rng(0).normal(size=2 * RATE).astype(np.float32)
    np.savez(tmp_path / "a.npz", landmarks=landmarks, fps=25.0, samples=samples)
    clip = load_clip(tmp_path, Source("talking/a.mp4", "a"))
    assert clip is not None and len(clip.offsets) == 50 and clip.power.shape == (201, 64)
    assert np.corrcoef(clip.gap, np.linspace(0, 0.3, 50))[0, 1] > 0.99
    landmarks[5:] = np.nan
    np.savez(tmp_path / "a.npz", landmarks=landmarks, fps=25.0, samples=samples)
    assert load_clip(tmp_path, Source("talking/a.mp4", "a")) is None


def test_held_out_people_are_never_trained_on(media_dir: Path) -> None:
    held_out, trained = sources(media_dir, "eval"), sources(media_dir, "train")
    assert len(held_out) == len(set(HELD_OUT)) == 15
    assert not {clip.person for clip in held_out} & {clip.person for clip in trained}
    with (media_dir / "manifest.tsv").open(encoding="utf-8", newline="") as table:
        use = {row["file"]: row["use"] for row in csv.DictReader(table, delimiter="\t")}
    assert all(use.get(clip.file, "train") == "train" for clip in trained)
    assert len(trained) > 490


def test_a_held_out_clip_does_what_the_model_card_says(media_dir: Path, tmp_path: Path) -> None:
    clip = next(source for source in sources(media_dir, "eval") if source.name == "retalking_4")
    track(media_dir, tmp_path, [clip])
    found = evaluate(tmp_path, [clip])[clip.name]
    assert found.opening > 0.45 and found.rounding > 0.35 and found.still < 0.01
    assert f"| {clip.name} | {found.opening:.2f} |" in table({clip.name: found})
