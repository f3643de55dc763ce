"""Everything that can be set: one row each in Settings. `--help`, docs/settings.md and the start-up check read it.

A value comes from, first found wins: a flag or `--set name=value`, the environment (TRACKRECORD_NAME), settings.toml in the
data directory, the default here.
"""

import os
import tomllib
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import msgspec
from msgspec import Meta

from .errors import SettingInvalid, VersionInvalid
from .rules.profiles import PROFILES_TABLE, Profile, profile_named
from .rules.versions import served

ENV_PREFIX = "TRACKRECORD_"
FILE_NAME = "settings.toml"
NOT_IN_FILE = frozenset({"data", "ephemeral"})  # which directory it is is decided before the file in it is read
NOT_SETTINGS = frozenset({"url"})  # TRACKRECORD_URL: which server the command line talks to


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One frozen value for the whole server. Units stand in the names."""

    data: Annotated[str, Meta(description="directory that holds everything; one process at a time owns it")] = "trackrecord-data"
    host: Annotated[str, Meta(description="address to listen on; 0.0.0.0 for every interface")] = "127.0.0.1"
    port: Annotated[int, Meta(description="port to listen on; 0 takes a free one", ge=0, le=65535)] = 8080
    app_id: Annotated[str, Meta(description="id of the first workspace, made at the first start")] = "trackrecord"
    token: Annotated[str, Meta(description="make sure that exactly this access token exists, with all scopes (tests, containers)")] = ""
    profile: Annotated[str, Meta(description="lenient for real use, strict to fail where the original would")] = "lenient"
    public_url: Annotated[str, Meta(description="address clients use, if it is not the one they connect to; page links begin with it")] = ""
    trusted_proxies: Annotated[
        str, Meta(description="comma-separated addresses whose X-Forwarded-Proto and -Host are believed; * for all, empty for none")
    ] = ""
    ephemeral: Annotated[bool, Meta(description="keep everything in a temporary directory that goes when the server ends")] = False
    log_format: Annotated[str, Meta(description="text or json, one line an entry, on stderr", pattern="^(text|json)$")] = "text"
    default_version: Annotated[str, Meta(description="API version served to clients that send no Intercom-Version")] = "2.14"
    dedup: Annotated[
        str,
        Meta(
            description="what makes two events one: strict (contact, name, second), with-metadata (equal metadata too), off (nothing)",
            pattern="^(strict|with-metadata|off)$",
        ),
    ] = "strict"
    create_contacts: Annotated[
        bool, Meta(description="an event whose user_id or email names nobody makes a user of them; else it is answered 404")
    ] = False
    body_max_bytes: Annotated[int, Meta(description="largest request body, also after decompression; past it 413", ge=1024)] = 1 << 20
    bodies_max_mb: Annotated[int, Meta(description="bodies that come in pieces, of all requests together; past it 503", ge=8)] = 256
    bulk_items_max: Annotated[int, Meta(description="items one bulk request may have; past it 422", ge=1, le=10_000)] = 1000
    jobs_keep_days: Annotated[int, Meta(description="days after which a bulk job, and its list of refused items, is dropped", ge=1)] = 7
    body_timeout_s: Annotated[
        float, Meta(description="time a client has to send a request's head, and again its body; past it 408", gt=0)
    ] = 30.0
    header_max_bytes: Annotated[int, Meta(description="largest request line and headers together; past it 431", ge=1024)] = 64 << 10
    connections_max: Annotated[int, Meta(description="open connections; past it 503", ge=1)] = 10_000
    keep_alive_s: Annotated[int, Meta(description="time an idle connection is kept", ge=1)] = 75
    read_wait_s: Annotated[float, Meta(description="longest wait of a read for events acknowledged before it; past it 503", gt=0)] = 5.0
    lag_max_records: Annotated[int, Meta(description="records the store may be behind the journal before new events get 503", ge=1)] = (
        500_000
    )
    journal_keep_hours: Annotated[
        float, Meta(description="age past which journal records are dropped, once every consumer has them", ge=0)
    ] = 24.0
    journal_keep_mb: Annotated[int, Meta(description="size past which journal records are dropped, once every consumer has them", ge=1)] = (
        1024
    )
    identity_cache_entries: Annotated[int, Meta(description="contact look-ups kept in memory for POST /events", ge=0)] = 200_000
    search_dates: Annotated[
        str,
        Meta(
            description="what contact search compares dates by: day, whole days in the workspace's time zone; exact, seconds",
            pattern="^(day|exact)$",
        ),
    ] = "day"
    search_max_s: Annotated[float, Meta(description="longest time one contact search may take; past it 400", gt=0)] = 10.0
    threads: Annotated[int, Meta(description="threads for reads and for writes to the directory", ge=1, le=64)] = 8
    background_threads: Annotated[
        int, Meta(description="threads for what takes long: searches, long lists, exports, looking for what to delete", ge=1, le=16)
    ] = 2
    request_log: Annotated[
        str,
        Meta(
            description="which requests are kept in requests.db to be searched: off, refused (status 400 and up), all",
            pattern="^(off|refused|all)$",
        ),
    ] = "refused"
    request_log_days: Annotated[float, Meta(description="age past which they are dropped", ge=0)] = 7.0
    request_log_rows: Annotated[int, Meta(description="how many are kept at most; of more the oldest are dropped", ge=1000)] = 200_000
    # Differences between profiles that can be set one by one; empty takes the profile's.
    metadata_keys_max: Annotated[int | None, Meta(description="metadata keys kept of one event; 0 keeps all")] = None
    event_names_max: Annotated[int | None, Meta(description="active event names in a workspace; 0 for no limit")] = None
    listing_days: Annotated[int | None, Meta(description="age in days past which an event is not listed; 0 lists all")] = None
    rate_limit_per_minute: Annotated[
        int | None,
        Meta(description="calls a minute and token, in shares of ten seconds, at least one in each; past a share 429; 0 for no limit"),
    ] = None
    rate_limit_workspace_per_minute: Annotated[
        int | None,
        Meta(description="calls a minute of all tokens of a workspace, in shares of ten seconds, at least one in each; 0 for no limit"),
    ] = None
    created_at_ahead_s: Annotated[int | None, Meta(description="seconds an event may lie in the future; 0 for no limit")] = None

    def effective_profile(self) -> Profile:
        """The named profile with the overrides applied. Raises SettingInvalid for an unknown name."""
        chosen = profile_named(self.profile)
        overrides = {name: getattr(self, name) for name in OVERRIDES if getattr(self, name) is not None}
        return msgspec.structs.replace(chosen, **overrides)


class Row(NamedTuple):
    name: str
    kind: str
    default: Any
    meaning: str


def _rows() -> tuple[Row, ...]:
    hints = typing.get_type_hints(Settings, include_extras=True)
    defaults = Settings()
    found = []
    for name in Settings.__struct_fields__:
        kind, meta = typing.get_args(hints[name])
        found.append(Row(name, getattr(kind, "__name__", "int"), getattr(defaults, name), meta.description))
    return tuple(found)


SETTINGS = _rows()
OVERRIDES = tuple(name for name in Settings.__struct_fields__ if name in {row[0] for row in PROFILES_TABLE})
_NAMES = {row.name for row in SETTINGS}


def _from_file(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise SettingInvalid(f"{path} cannot be read: {error}") from None


def _check(name: str, value: Any, source: str) -> Any:
    if name not in _NAMES:
        raise SettingInvalid(f"{source}: there is no setting {name!r}; trackrecord settings lists them all", field=name)
    if value == "" and name == "data":
        raise SettingInvalid(f"{source}: data must name a directory; it is empty", field=name)
    if value == "" and name in OVERRIDES:
        return None
    try:
        kind = typing.get_type_hints(Settings, include_extras=True)[name]
        checked = msgspec.convert(value, kind, strict=not isinstance(value, str))
        if name in OVERRIDES and checked is not None and checked < 0:
            raise msgspec.ValidationError("Expected `int` >= 0")
        return checked
    except msgspec.ValidationError as error:
        raise SettingInvalid(f"{source}: {name} cannot be {value!r}: {str(error).partition(' - at')[0]}", field=name) from None


def _of_kubernetes(name: str, value: str) -> bool:
    """Kubernetes sets such variables in every pod beside a Service called trackrecord; they are not meant for us."""
    return name.startswith((f"{ENV_PREFIX}SERVICE_", f"{ENV_PREFIX}PORT_")) or (name == f"{ENV_PREFIX}PORT" and value.startswith("tcp://"))


def load(flags: Mapping[str, Any], environ: Mapping[str, str] = os.environ) -> Settings:
    """Put the sources together. `flags` holds only what was given; None counts as not given. Raises SettingInvalid."""
    given = {name: _check(name, value, f"--{name.replace('_', '-')}") for name, value in flags.items() if value is not None}
    mine = {name: value for name, value in environ.items() if not _of_kubernetes(name, value)}
    from_env = {
        name[len(ENV_PREFIX) :].lower(): _check(name[len(ENV_PREFIX) :].lower(), value, name)
        for name, value in mine.items()
        if name.startswith(ENV_PREFIX) and name[len(ENV_PREFIX) :].lower() not in NOT_SETTINGS
    }
    data = Path(given.get("data") or from_env.get("data") or Settings().data)
    ephemeral = given.get("ephemeral", from_env.get("ephemeral", False))
    lines = {} if ephemeral else _from_file(data / FILE_NAME)
    for name in NOT_IN_FILE & lines.keys():
        raise SettingInvalid(f"{FILE_NAME}: {name} cannot be set in a file that lies in the data directory; use --{name}", field=name)
    from_file = {name: _check(name, value, FILE_NAME) for name, value in lines.items()}
    settings = msgspec.convert({**from_file, **from_env, **given}, Settings)
    settings.effective_profile()
    if settings.public_url and not settings.public_url.startswith(("http://", "https://")):
        raise SettingInvalid(f"public_url must begin with http:// or https://, got {settings.public_url!r}", field="public_url")
    try:
        served(None, default=settings.default_version, newer=False)
    except VersionInvalid:
        message = f"default_version must be a version such as 2.14, got {settings.default_version!r}"
        raise SettingInvalid(message, field="default_version") from None
    return settings
