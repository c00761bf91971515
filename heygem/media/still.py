"""A photo, upright and in sRGB. It is told by its content, not by its name."""

from __future__ import annotations

import io
import warnings
from pathlib import Path

import numpy as np
from PIL import Image, ImageCms, ImageOps

from heygem.errors import FileUnreadable, PictureTooLarge

MOST_PIXELS = 120_000_000
"""Above this many pixels a photo is not even unpacked (a few bytes of PNG can ask for gigabytes)."""

LONGEST = 3072
"""Longer sides are scaled down to this: then any shape fits into one frame of H.264 level 5.1 (36864 macroblocks)."""

_FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "TIFF", "AVIF")


def is_still(head: bytes) -> bool:
    """Do these first bytes of a file begin a photo?"""
    marks = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"BM", b"II*\0", b"MM\0*")
    brand = head[8:12] if head[4:8] == b"ftyp" else head[:4] + head[8:12]
    return head.startswith(marks) or brand in (b"avif", b"RIFFWEBP")


def load_still(path: Path) -> np.ndarray:
    """(h, w, 3) uint8 RGB, turned upright (EXIF), transparent parts white, no side longer than ``LONGEST``.

    Raises FileUnreadable, PictureTooLarge.
    """
    picture = _loaded(path, _FORMATS)
    if picture.mode == "RGBA":
        white = Image.new("RGBA", picture.size, "white")
        picture = Image.alpha_composite(white, picture).convert("RGB")
    return np.asarray(picture)


def load_transparent(path: Path) -> np.ndarray:
    """(h, w, 4) uint8 RGBA, otherwise as ``load_still``; of a moving picture the first one."""
    return np.asarray(_loaded(path, (*_FORMATS, "GIF")).convert("RGBA"))


def _loaded(path: Path, formats: tuple[str, ...]) -> Image.Image:
    """RGB, or RGBA where it has transparent parts."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            image = Image.open(path, formats=formats)
        with image:
            if image.width * image.height > MOST_PIXELS:
                raise _too_large(path, image.width, image.height)
            if image.mode == "F":  # nobody says which number is white
                raise FileUnreadable(name=path.name, kind="a picture", reason="its levels are floating point numbers")
            image.draft("RGB", (LONGEST, LONGEST))
            return _plain(image)
    except Image.DecompressionBombError as error:
        raise _too_large(path, "more than 13000", 13000) from error
    except (OSError, SyntaxError, TypeError, ValueError, MemoryError) as error:
        raise FileUnreadable(name=path.name, kind="a picture", reason=f"it is damaged ({error})") from error


def _too_large(path: Path, width: object, height: object) -> PictureTooLarge:
    return PictureTooLarge(name=path.name, width=width, height=height, most=f"{MOST_PIXELS // 1_000_000} megapixels")


def _plain(image: Image.Image) -> Image.Image:
    profile = image.info.get("icc_profile")
    image = ImageOps.exif_transpose(image)
    if image.mode.startswith("I"):  # 16 bit grey
        image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    image.thumbnail((LONGEST, LONGEST), Image.Resampling.LANCZOS)
    if image.has_transparency_data:
        return image.convert("RGBA")
    return _in_srgb(image, profile)


def _in_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """Phones store Display P3, printers CMYK; a broken profile is no reason to refuse a photo."""
    if profile and image.mode in ("RGB", "CMYK"):
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            converted = ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
        except (ImageCms.PyCMSError, OSError):
            converted = None
        if converted is not None:
            return converted
    return image.convert("RGB")
