"""Configuration by environment: `MAATMATCH_<NAME>`, or `MAATMATCH_<NAME>_FILE` for a secret."""

import os
import re
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from api.errors import Misconfigured

PREFIX = "MAATMATCH_"
DATA = Path(__file__).parents[1] / "data"
LEAST_SECRET = 32  # characters: shorter keys for links and cookies can be guessed
WEAK = ("change", "secret", "password", "example", "test", "demo", "1234", "maatmatch")
_HOLE = re.compile(r"\{[zxy]\}")
_STRANGE = re.compile(r"[^!-~]|[\\{}\"'<>`]")  # what no address holds as it is
_TILE_HOST = re.compile(
    r"https://[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*(:[0-9]{1,5})?/"
)  # no braces, no *


def home() -> Path:
    """The folder for the embedded database when none is configured."""
    base = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(base) / "maatmatch"


class _FileSecrets(PydanticBaseSettingsSource):
    """Reads `MAATMATCH_X_FILE` for every setting X: how containers hand over secrets."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        path = os.environ.get(f"{PREFIX}{field_name.upper()}_FILE")
        if not path:
            return None, field_name, False
        try:
            return Path(path).read_text(encoding="utf-8").strip(), field_name, False
        except (OSError, UnicodeDecodeError) as error:
            raise Misconfigured(
                f"{PREFIX}{field_name.upper()}_FILE points to {path}, which cannot be read: "
                f"{error}. Check the path and its permissions."
            ) from error

    def __call__(self) -> dict[str, Any]:
        found = {
            name: self.get_field_value(field, name)[0]
            for name, field in self.settings_cls.model_fields.items()
        }
        return {name: value for name, value in found.items() if value is not None}


class Settings(BaseSettings):
    """All that can be configured, with defaults for one hub on one machine."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="ignore", frozen=True)

    demo: bool = False
    database_url: str = Field(default_factory=lambda: f"sqlite:///{home() / 'maatmatch.db'}")
    secret_key: SecretStr = SecretStr("")
    base_url: str = "http://127.0.0.1:8000"
    data_dir: Path = DATA
    encoder: str = ""  # empty: the shipped one; else a sentence-transformers name or path
    worker: bool = True  # deliver mail from inside `serve`
    smtp_host: str = "127.0.0.1"
    smtp_port: int = 25
    smtp_security: Literal["none", "starttls", "tls"] = "none"
    smtp_user: str = ""
    smtp_password: SecretStr = SecretStr("")
    smtp_connections: int = Field(default=8, ge=1, le=50)
    smtp_timeout: float = Field(default=20.0, gt=0)
    mail_from: str = "Maatmatch <no-reply@maatmatch.example>"
    bounce_address: str = ""  # return address; empty: the address in mail_from
    imap_url: str = ""  # imaps://user:password@host/folder of the return address
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    retention_days: int = Field(default=730, ge=30)
    tiles: str = ""  # template of a tile server's addresses; empty: the own map alone
    tiles_credit: str = ""  # who made those tiles, as shown under every map
    trusted_proxy: bool = False  # take the caller's address from X-Forwarded-For

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, _FileSecrets(settings_cls)

    @field_validator("database_url")
    @classmethod
    def _driver(cls, url: str) -> str:
        for prefix in ("postgres://", "postgresql://"):
            if url.startswith(prefix):
                return "postgresql+psycopg://" + url.removeprefix(prefix)
        if not url.startswith(("sqlite:///", "postgresql+psycopg://")):
            raise ValueError("give sqlite:///path/to/file.db or postgresql://user@host/name")
        return url

    @field_validator("base_url")
    @classmethod
    def _no_slash(cls, url: str) -> str:
        if not url.startswith(("http://", "https://")):
            raise ValueError("give the address people open, such as https://maatmatch.example")
        return url.rstrip("/")

    @field_validator("tiles")
    @classmethod
    def _tile_template(cls, template: str) -> str:
        if not template:
            return ""
        filled = _HOLE.sub("0", template)
        if sorted(_HOLE.findall(template)) != ["{x}", "{y}", "{z}"] or _STRANGE.search(filled):
            raise ValueError(
                "give an address that holds {z}, {x} and {y} once each and nothing else in "
                "braces, such as https://tiles.example/{z}/{x}/{y}.png"
            )
        if template.startswith("/") and not template.startswith("//"):
            return template
        if not _TILE_HOST.match(template):
            raise ValueError(
                "give an address that begins with https:// and the name of a host, or a path of "
                "this site that begins with a single /"
            )
        return template

    @model_validator(mode="after")
    def _credited_tiles(self) -> "Settings":
        if self.tiles and not self.tiles_credit.strip():
            raise ValueError(
                f"{PREFIX}TILES needs {PREFIX}TILES_CREDIT: who made the map, as its licence "
                "wants it shown, such as: © OpenStreetMap contributors"
            )
        return self

    @model_validator(mode="after")
    def _strong_secret(self) -> "Settings":
        secret = self.secret_key.get_secret_value()
        if self.demo:
            return self
        if len(secret) < LEAST_SECRET or len(set(secret)) < 10:
            raise ValueError(
                f"secret_key needs at least {LEAST_SECRET} characters, well mixed; make one with: "
                'python3 -c "import secrets; print(secrets.token_urlsafe(48))" '
                f"and set {PREFIX}SECRET_KEY or {PREFIX}SECRET_KEY_FILE"
            )
        if any(word in secret.lower() for word in WEAK):
            raise ValueError("secret_key contains a guessable word; make a random one")
        return self

    @property
    def secure(self) -> bool:
        """Whether pages are served over HTTPS, so that cookies may travel only there."""
        return self.base_url.startswith("https://")

    @property
    def tiles_origin(self) -> str:
        """The other site that browsers ask for tiles, such as https://tiles.example; or none."""
        parts = urlsplit(self.tiles)
        origin = f"{parts.scheme}://{parts.netloc.lower()}" if parts.netloc else ""
        own = urlsplit(self.base_url)
        return "" if origin == f"{own.scheme}://{own.netloc.lower()}" else origin


def load_settings(**overrides: Any) -> Settings:
    """The settings from the environment. Raises Misconfigured, saying what to set."""
    try:
        return Settings(**overrides)
    except ValidationError as error:
        lines = [
            f"{PREFIX}{'_'.join(str(part) for part in each['loc']).upper()}: "
            f"{each['msg'].removeprefix('Value error, ')}"
            if each["loc"]
            else each["msg"].removeprefix("Value error, ")
            for each in error.errors()
        ]
        raise Misconfigured("\n".join(lines)) from None
