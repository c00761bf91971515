"""What an administrator may set: one frozen object, read from the environment and from ``.env``.

Every field ``name`` is the variable ``HEYGEM_NAME``. Files named ``.env`` are read beside ``app.py`` and in the current
folder (the latter wins); the environment wins over both; an empty value counts as not set. The description of a field
says which values are allowed; it is also the hint of the error. A secret is a ``SecretStr``: it prints as stars.
"""

from __future__ import annotations

import base64
import re
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from heygem.errors import OptionInvalid

PREFIX = "HEYGEM_"
_ROOT = Path(__file__).parents[1]

Folder = Annotated[Path, AfterValidator(lambda path: path.expanduser().absolute())]


def _token(value: SecretStr) -> SecretStr:
    if not re.fullmatch(r"[!-~]{16,512}", value.get_secret_value()):
        raise ValueError
    return value


def _key(value: SecretStr) -> SecretStr:
    if not re.fullmatch(r"[!-~]{1,4096}", value.get_secret_value()):
        raise ValueError
    return value


def _signing_key(value: SecretStr) -> SecretStr:
    """As the Standard Webhooks write their keys."""
    prefix, _, key = value.get_secret_value().partition("_")
    if prefix != "whsec" or not 24 <= len(base64.b64decode(key, validate=True)) <= 64:
        raise ValueError
    return value


def _origins(value: object) -> object:
    """Text with commas becomes a tuple."""
    found = tuple(one.strip().rstrip("/").lower() for one in value.split(",")) if isinstance(value, str) else value
    if isinstance(found, tuple) and not all(re.fullmatch(r"https?://[\w.\-\[\]:]+", one) for one in found):
        raise ValueError
    return found


def _robot(value: SecretStr) -> SecretStr:
    if not re.fullmatch(r"https?://[\w.\-\[\]:]+/\S{1,500}|[\w-]{8,200}", value.get_secret_value()):
        raise ValueError
    return _hook(value) if "://" in value.get_secret_value() else value


def _hook(value: SecretStr) -> SecretStr:
    site = urlsplit(value.get_secret_value())
    host = (site.hostname or "").encode("idna")  # a ValueError where it cannot be called, and so is a wrong port
    if not re.fullmatch(r"https?://\S{1,1000}", value.get_secret_value()) or not host or site.port == 0:
        raise ValueError
    return value


def _mailboxes(value: object) -> object:
    """Text with commas becomes a tuple."""
    found = tuple(filter(None, re.split(r"[,;，；\s]+", value))) if isinstance(value, str) else value
    if isinstance(found, tuple) and not all(re.fullmatch(r"[^@\s<>]+@[\w.-]+", one) for one in found):
        raise ValueError
    return found


def _names(value: object) -> object:
    """Text with commas becomes a tuple."""
    found = tuple(filter(None, map(str.strip, value.split(",")))) if isinstance(value, str) else value
    if isinstance(found, tuple) and not all(re.fullmatch(r"[^\x00-\x1f\x7f]{1,100}", one) for one in found):
        raise ValueError
    return found


def _address(value: str) -> str:
    """http or https, without a name, password, query or slash at the end: paths are put behind it."""
    if not re.fullmatch(r"https?://[\w.\-\[\]:]+(/[\w.\-~/]*)?", value):
        raise ValueError
    return value.rstrip("/")


Address = Annotated[str, AfterValidator(_address)]
Robot = Annotated[SecretStr, AfterValidator(_robot)]
_ROBOT = "the key of a group's robot, or its whole address"


def _outputs() -> Path:
    """``outputs/`` beside ``app.py`` in a checkout, in the current folder where HeyGem is an installed package."""
    return (_ROOT if (_ROOT / "pyproject.toml").is_file() else Path.cwd()) / "outputs"


def _home() -> Path:
    return Path.home() / ".heygem"


class Settings(BaseSettings):
    """Frozen. Paths are absolute, with ``~`` resolved; nothing is created."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_file=(_ROOT / ".env", ".env"),
        env_file_encoding="utf-8-sig",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
    )

    home: Folder = Field(default_factory=_home, description="a folder for what HeyGem keeps (cache)")
    outputs: Folder = Field(default_factory=_outputs, description="a folder for the results")
    cache_bytes: int = Field(4 << 30, ge=0, description="the largest size of the cache in bytes")
    host: str = Field("0.0.0.0", description="an address to listen on; 127.0.0.1 keeps the page to this machine")
    port: int = Field(7860, ge=1, le=65535, description="a port from 1 to 65535")
    max_upload_mb: int = Field(2048, ge=1, description="the largest upload in megabytes, at least 1")
    max_minutes: float = Field(60, ge=0, description="the longest sound in minutes, 0 for no limit")
    max_queued: int = Field(1000, ge=0, description="how many jobs may wait, 0 for no limit")
    max_videos: int = Field(200, ge=1, description="how many videos a batch may have, at least 1")
    input_folder: Folder | None = Field(
        None, description="a folder with files that programs may name instead of sending"
    )
    easy_folder: Folder | None = Field(None, description="the folder that clients of /easy know as /code/data/temp")
    easy_fetch: Literal["off", "public", "private"] = Field("off", description="off, public or private")
    language: Literal["auto", "zh", "en"] = Field("auto", description="auto, zh or en")
    remote_url: Address | None = Field(
        None, description="the address of a face2face service, like http://10.0.0.5:8383"
    )
    remote_folder: Folder | None = Field(
        None, description="the folder shared with that service, which it knows as /code/data/temp"
    )
    remote_minutes: float = Field(
        120, ge=0, description="minutes that a take may wait for and take at that service, 0 for no limit"
    )
    tts_url: Address | None = Field(
        None, description="the address of a speech service that speaks as OpenAI's does, like https://host/v1"
    )
    tts_key: Annotated[SecretStr, AfterValidator(_key)] | None = Field(
        None, description="the key that this service asks for: letters, digits and signs without blanks"
    )
    tts_model: str = Field("tts-1", min_length=1, max_length=200, description="the model that it is asked for")
    tts_voices: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_names)] = Field(
        ("alloy",), description="the voices it has, with commas between them"
    )
    min_free_mb: int = Field(2048, ge=0, description="megabytes that the disk of the results keeps free; 0 for none")
    keep_days: float = Field(30, ge=0, description="days that a result is kept, 0 for ever; pinned ones always stay")
    keep_input_days: float = Field(7, ge=0, description="days that the inputs of an ended job are kept, 0 for ever")
    keep_cache_days: float = Field(60, ge=0, description="days that an unused analysis is kept, 0 for ever")
    keep_gb: float = Field(0, ge=0, description="gigabytes that all results may take, 0 for no limit")
    insightface: Folder | None = Field(None, description="a folder with InsightFace .onnx files")
    syncnet: Folder | None = Field(None, description="a file of SyncNet v2 weights, for “heygem bench --quality”")
    weights_hub: Literal["huggingface", "modelscope"] = Field("huggingface", description="huggingface or modelscope")
    weights_mirror: Address | None = Field(None, description="the address of a mirror of Hugging Face, https://…")
    weights_proxy: Annotated[SecretStr, AfterValidator(_hook)] | None = Field(
        None, description="the address of an HTTP proxy for downloads of weights"
    )
    commercial: bool = Field(False, description="true or false: true refuses weights that do not allow commercial use")
    log_file: Folder | None = Field(None, description="a file for the log; default: 运行实时日志.log in outputs")
    users_file: Folder | None = Field(None, description="a file that “heygem users” keeps; default: users.json in home")
    api_token: Annotated[SecretStr, AfterValidator(_token)] | None = Field(
        None, description="16 to 512 letters, digits and signs without blanks, e.g. what “openssl rand -hex 32” prints"
    )
    cors_origins: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_origins)] = Field(
        (), description="origins like https://example.com:8443, with commas between them"
    )
    webhook_secret: Annotated[SecretStr, AfterValidator(_signing_key)] | None = Field(
        None, description="whsec_ and then 24 to 64 random bytes in base64 (“openssl rand -base64 32” prints some)"
    )
    webhook_private: bool = Field(False, description="true or false: may webhooks go to addresses of private networks")
    workers: int = Field(0, ge=0, le=64, description="how many jobs run at a time; 0: one per GPU, or one")
    stall_seconds: float = Field(60, gt=0, description="seconds without a sign of life after which work is ended")
    job_minutes: float = Field(360, ge=0, description="minutes that one job may take; 0: no limit")
    storage: Literal["local", "s3"] = Field("local", description="local or s3")
    s3_endpoint: Address | None = Field(None, description="an address like https://s3.example.com; none for AWS")
    s3_link_endpoint: Address | None = Field(
        None, description="the address of the store as those know it who get links"
    )
    s3_region: str | None = Field(
        None, pattern=r"^[\w-]{1,40}$", description="the region of the bucket, like cn-north-1"
    )
    s3_bucket: str | None = Field(None, pattern=r"^[\w.-]{3,80}$", description="the name of a bucket")
    s3_prefix: str = Field(
        "heygem",
        pattern=r"^[\w-]+(/[\w-]+)*$",
        max_length=200,
        description="a folder in the bucket, like heygem or team/a",
    )
    s3_addressing: Literal["auto", "path", "virtual", "domain"] = Field(
        "auto", description="auto, path, virtual, or domain: the endpoint is the bucket's own domain"
    )
    s3_sse: str | None = Field(
        None, pattern=r"^(AES256|aws:kms(:[\w:/.-]+)?)$", description="AES256, aws:kms or aws:kms:KEY"
    )
    s3_part_mb: int = Field(8, ge=5, le=5120, description="MiB of a part of a large upload, 5 to 5120")
    s3_parts_at_once: int = Field(1, ge=1, le=16, description="parts of one upload under way at a time, 1 to 16")
    s3_storage_class: str = Field(
        "STANDARD_IA",
        pattern=r"^\w{1,40}$",
        description="the class results move to after 30 days, like STANDARD_IA or IA",
    )
    upload_limit_mb_s: float = Field(0, ge=0, description="MB a second of all uploads together, 0 for no limit")
    link_seconds: int = Field(86400, ge=60, le=604800, description="seconds that a link works, 60 to 604800 (7 days)")
    cdn_url: Address | None = Field(None, description="the address of a CDN in front of the bucket, https://…")
    cdn_key_id: str | None = Field(
        None, pattern=r"^\w{1,40}$", description="the number of the public key in CloudFront"
    )
    cdn_key_file: Folder | None = Field(None, description="a file with the private key for it, PEM")
    public_url: Address | None = Field(None, description="the address of this server as others know it, https://…")
    keep_local: Literal["keep", "remove"] = Field("keep", description="keep or remove")
    notify_on: Literal["batch", "job", "both", "off"] = Field("batch", description="batch, job, both or off")
    notify_language: Literal["zh", "en"] = Field("zh", description="zh or en")
    notify_wecom: Robot | None = Field(None, description=_ROBOT)
    notify_dingtalk: Robot | None = Field(None, description=_ROBOT)
    notify_dingtalk_secret: SecretStr | None = Field(None, description="the secret that signs its messages, SEC…")
    notify_feishu: Robot | None = Field(None, description=_ROBOT)
    notify_feishu_secret: SecretStr | None = Field(None, description="the secret that signs its messages")
    notify_webhook: Annotated[SecretStr, AfterValidator(_hook)] | None = Field(
        None, description="an http or https address"
    )
    notify_email_to: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_mailboxes)] = Field(
        (), description="e-mail addresses with commas between them"
    )
    smtp_host: str | None = Field(None, max_length=253, pattern=r"^[\w.:-]+$", description="the name of a mail server")
    smtp_port: int = Field(0, ge=0, le=65535, description="a port; 0: 587, 465 or 25, as smtp_security goes")
    smtp_user: str | None = Field(None, description="the name to log in with at the mail server")
    smtp_password: SecretStr | None = Field(None, description="the password for it")
    smtp_from: str | None = Field(
        None, pattern=r"^[^\r\n@]+@[\w.>-]+$", description="the sender, like HeyGem <heygem@example.com>"
    )
    smtp_security: Literal["starttls", "tls", "none"] = Field("starttls", description="starttls, tls or none")
    idle_minutes: float = Field(30, ge=0, description="minutes without work after which models leave the memory")

    @property
    def cache(self) -> Path:
        """Folder of the caches: ``avatars`` and ``voices``."""
        return self.home / "cache"

    @property
    def voice_bytes(self) -> int:
        """The share of the cache that voices may take: a quarter."""
        return self.cache_bytes // 4

    @property
    def avatar_bytes(self) -> int:
        return self.cache_bytes - self.voice_bytes

    @property
    def store(self) -> Path:
        """The list of jobs."""
        return self.home / "jobs.sqlite3"

    @property
    def uploads(self) -> Path:
        """What browsers and programs send, until it lies with a job."""
        return self.home / "uploads"

    @property
    def shared(self) -> Path:
        """What local links lead to."""
        return self.home / "shared"

    @property
    def weights(self) -> Path:
        """Installed weights of networks, a folder each."""
        return self.home / "weights"

    @property
    def users(self) -> Path:
        """File of those who may log in."""
        return self.users_file or self.home / "users.json"

    @property
    def secrets(self) -> list[str]:
        """What must not appear in any log; of addresses also the parts that may be keys."""
        found = [value.get_secret_value() for value in vars(self).values() if isinstance(value, SecretStr)]
        parts = [part for value in found if "://" in value for part in re.split(r"[/?&=#]", value)[3:]]
        return [*found, *(part for part in parts if len(part) > len("access_token"))]


def load(**given: object) -> Settings:
    """The settings; ``given`` wins over every variable. Raises OptionInvalid naming the variable that is wrong."""
    try:
        return Settings(**given)  # pyright: ignore[reportArgumentType]
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        name = str(first["loc"][0]).lower()
        field = Settings.model_fields[name]
        value = "the given value" if "SecretStr" in str(field.annotation) else f"“{first['input']}”"
        raise OptionInvalid(option=PREFIX + name.upper(), value=value, allowed=field.description) from None
