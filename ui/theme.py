"""Colours, type and shape of the page. System fonts only: nothing is fetched from anywhere."""

from __future__ import annotations

from pathlib import Path

from gradio import themes

FONTS = ["system-ui", "-apple-system", "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", "sans-serif"]
MONO = ["ui-monospace", "Consolas", "monospace"]
_HERE = Path(__file__).parent
_SHARED = [_HERE / "controls.css", _HERE / "page.css"]  # what a tab says itself comes later, so it wins
CSS = "".join(path.read_text("utf-8") for path in dict.fromkeys([*_SHARED, *sorted(_HERE.glob("*.css"))]))


def theme() -> themes.Base:
    """Calm paper, one green."""
    base = themes.Base(
        primary_hue=themes.colors.teal,
        neutral_hue=themes.colors.stone,
        text_size=themes.sizes.text_md,
        radius_size=themes.sizes.radius_lg,
        font=FONTS,  # pyright: ignore[reportArgumentType]
        font_mono=MONO,  # pyright: ignore[reportArgumentType]
    )
    return base.set(
        body_background_fill="#f5f4f0",
        body_background_fill_dark="#141413",
        body_text_color="#1f2421",
        body_text_color_dark="#e9e7e2",
        body_text_color_subdued="#6b6f6a",
        body_text_color_subdued_dark="#a3a19b",
        block_background_fill="transparent",
        block_background_fill_dark="transparent",
        block_border_width="0px",
        block_border_width_dark="0px",
        block_info_text_color="#6b6f6a",
        block_info_text_color_dark="#a3a19b",
        input_background_fill="#faf9f7",
        input_background_fill_dark="#262624",
        button_large_radius="12px",
        button_primary_background_fill="#0f766e",
        button_primary_background_fill_dark="#0f766e",
        button_primary_background_fill_hover="#115e59",
        button_primary_background_fill_hover_dark="#14857b",
        button_primary_text_color="#ffffff",
        button_secondary_background_fill="#ffffff",
        button_secondary_background_fill_dark="#262624",
        slider_color="#0f766e",
        slider_color_dark="#2dd4bf",
    )
