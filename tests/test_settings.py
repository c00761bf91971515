"""Settings: read from the environment and .env, frozen, wrong values named."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from heygem import settings
from heygem.errors import OptionInvalid

README = Path(__file__).parents[1] / "README.md"


@pytest.fixture(autouse=True)
def bare(tmp_path, monkeypatch):
    """No variables, no .env of the developer."""
    for name in settings.Settings.model_fields:
        monkeypatch.delenv(settings.PREFIX + name.upper(), raising=False)
    monkeypatch.setitem(settings.Settings.model_config, "env_file", (".env",))
    monkeypatch.chdir(tmp_path)


def test_defaults():
    found = settings.load()
    assert found.home == Path.home() / ".heygem"
    assert found.cache == found.home / "cache"
    assert found.avatar_bytes + found.voice_bytes == found.cache_bytes
    assert (found.host, found.port, found.language) == ("0.0.0.0", 7860, "auto")
    assert found.cache_bytes == 4 * 1024**3
    assert found.outputs == Path(settings.__file__).parents[1] / "outputs"
    assert found.insightface is None and found.log_file is None


def test_loading_creates_nothing(tmp_path, monkeypatch):
    monkeypatch.setenv("HEYGEM_HOME", str(tmp_path / "home"))
    settings.load()
    assert list(tmp_path.iterdir()) == []


def test_environment_wins_over_dotenv_and_given_wins_over_both(tmp_path, monkeypatch):
    (tmp_path / ".env").write_text("HEYGEM_PORT=8001\nHEYGEM_LANGUAGE=zh\nOTHER_NAME=1\n", encoding="utf-8-sig")
    monkeypatch.setenv("HEYGEM_PORT", "8002")
    assert (settings.load().port, settings.load().language) == (8002, "zh")
    assert settings.load(port=8003).port == 8003


def test_empty_value_counts_as_not_set(monkeypatch):
    monkeypatch.setenv("HEYGEM_PORT", "")
    assert settings.load().port == 7860


def test_paths_are_absolute_and_know_the_tilde(tmp_path, monkeypatch):
    monkeypatch.setenv("HEYGEM_HOME", "~/elsewhere")
    monkeypatch.setenv("HEYGEM_INSIGHTFACE", "faces")
    assert settings.load().home == Path.home() / "elsewhere"
    assert settings.load().insightface == tmp_path / "faces"


@pytest.mark.parametrize(
    ("name", "value"),
    [("PORT", "http"), ("PORT", "70000"), ("LANGUAGE", "fr"), ("CACHE_BYTES", "-1"), ("MAX_UPLOAD_MB", "much")],
)
def test_wrong_value_names_the_variable_and_the_remedy(name, value, monkeypatch):
    monkeypatch.setenv(f"HEYGEM_{name}", value)
    with pytest.raises(OptionInvalid) as caught:
        settings.load()
    assert f"HEYGEM_{name}" in caught.value.message and value in caught.value.message
    assert str(settings.Settings.model_fields[name.lower()].description) in caught.value.hint


def test_settings_cannot_be_changed():
    with pytest.raises(ValidationError):
        settings.load().port = 1  # pyright: ignore[reportAttributeAccessIssue]


def test_every_setting_has_a_description_and_a_row_in_the_readme():
    text = README.read_text(encoding="utf-8")
    for name, field in settings.Settings.model_fields.items():
        assert field.description, name
        assert f"`HEYGEM_{name.upper()}`" in text, name


SECRET = "whsec_" + "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo="


def test_secrets_are_never_shown(monkeypatch):
    monkeypatch.setenv("HEYGEM_API_TOKEN", "0123456789abcdef")
    monkeypatch.setenv("HEYGEM_WEBHOOK_SECRET", SECRET)
    found = settings.load()
    assert found.secrets == ["0123456789abcdef", SECRET]
    assert "0123456789" not in repr(found) + str(found) and "whsec" not in repr(found)
    for name, value in (
        ("API_TOKEN", "hush"),
        ("API_TOKEN", "hush hush hush hush"),
        ("WEBHOOK_SECRET", "whsec_hush"),
        ("TTS_KEY", "hush密"),
    ):
        monkeypatch.setenv(f"HEYGEM_{name}", value)
        with pytest.raises(OptionInvalid, match=f"HEYGEM_{name} cannot be the given value") as caught:
            settings.load()
        assert "hush" not in caught.value.message + caught.value.hint
        monkeypatch.delenv(f"HEYGEM_{name}")


def test_origins_are_a_list_with_commas(monkeypatch):
    assert settings.load().cors_origins == ()
    monkeypatch.setenv("HEYGEM_CORS_ORIGINS", "https://A.example/, http://10.0.0.5:3000")
    assert settings.load().cors_origins == ("https://a.example", "http://10.0.0.5:3000")
    for wrong in ("*", "https://a.example/path", "a.example", "https://a.example,"):
        monkeypatch.setenv("HEYGEM_CORS_ORIGINS", wrong)
        with pytest.raises(OptionInvalid):
            settings.load()


@pytest.mark.parametrize("name", ["NOTIFY_WECOM", "NOTIFY_WEBHOOK", "WEIGHTS_PROXY"])
@pytest.mark.parametrize("wrong", ["https://a:b/x", "https://a:99999/x", "https://a..b/x", "https://[::1/x"])
def test_an_address_that_cannot_be_called_is_named(name, wrong, monkeypatch):
    monkeypatch.setenv(f"HEYGEM_{name}", wrong)
    with pytest.raises(OptionInvalid, match=f"HEYGEM_{name} cannot be the given value"):
        settings.load()
    monkeypatch.setenv(f"HEYGEM_{name}", "https://[::1]:8443/x")
    assert settings.load()
