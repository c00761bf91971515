"""The story: a voice and a face in, a talking video out."""

from __future__ import annotations

from heygem.pipeline.make import lipsync
from heygem.pipeline.options import MOST_TRIES, PARTS, QUALITIES, Options, inputs
from heygem.pipeline.take import Take
from heygem.plan import LENGTHS, RESOLUTIONS

__all__ = ["LENGTHS", "MOST_TRIES", "PARTS", "QUALITIES", "RESOLUTIONS", "Options", "Take", "inputs", "lipsync"]
