"""Everything that can be set: one row each in Settings. `--help`, docs/settings.md and the start-up check read it.

A value comes from, first found wins: a flag or `--set name=value`, the environment (TRACKRECORD_NAME), settings.toml in the
data directory, the default here.
"""

import os
import tomllib
import typing
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

import msgspec
from msgspec import Meta

from .errors import SettingInvalid, VersionInvalid
from .rules.directory import IDENTITY_SECRET, is_identity_secret
from .rules.profiles import PROFILES, PROFILES_TABLE, Profile, profile_named
from .rules.versions import served

ENV_PREFIX = "TRACKRECORD_"
FILE_NAME = "settings.toml"
NOT_IN_FILE = frozenset({"data", "ephemeral"})  # which directory it is is decided before the file in it is read
NOT_SETTINGS = frozenset({"url", "make", "fault"})  # which server the command line talks to; that the Makefile called; faults.py
YES, NO = ("yes", "on", "true", "1"), ("no", "off", "false", "0")
SECRETS = frozenset({"token", "identity_secret"})  # whose values are never shown
SECRET_MAX = 255  # characters, as directory/tokens.py has it


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One frozen value for the whole server. Units stand in the names."""

    data: Annotated[str, Meta(description="directory that holds everything; one process at a time owns it")] = "trackrecord-data"
    host: Annotated[str, Meta(description="address to listen on; 0.0.0.0 for every interface")] = "127.0.0.1"
    port: Annotated[int, Meta(description="port to listen on; 0 takes a free one", ge=0, le=65535)] = 8080
    app_id: Annotated[str, Meta(description="id of the first workspace, made at the first start")] = "trackrecord"
    token: Annotated[str, Meta(description="make sure that exactly this access token exists, with all scopes (tests, containers)")] = ""
    identity_secret: Annotated[
        str,
        Meta(description="make sure that this identity secret is valid, and have browsers prove who somebody is (tests, containers)"),
    ] = ""
    profile: Annotated[str, Meta(description="lenient for real use, strict to fail where the original would")] = "lenient"
    public_url: Annotated[str, Meta(description="address clients use, if it is not the one they connect to; page links begin with it")] = ""
    trusted_proxies: Annotated[
        str, Meta(description="comma-separated addresses whose X-Forwarded-Proto and -Host are believed; * for all, empty for none")
    ] = ""
    ephemeral: Annotated[
        bool,
        Meta(description="keep everything in a temporary directory (in memory where there is /dev/shm), which goes when the server ends"),
    ] = False
    log_format: Annotated[Literal["text", "json"], Meta(description="text or json, one line an entry, on stderr")] = "text"
    default_version: Annotated[str, Meta(description="API version served to clients that send no Intercom-Version")] = "2.14"
    dedup: Annotated[
        Literal["strict", "with-metadata", "off"],
        Meta(description="what makes two events one: strict (contact, name, second), with-metadata (equal metadata too), off (nothing)"),
    ] = "strict"
    create_contacts: Annotated[
        bool, Meta(description="an event whose user_id or email names nobody makes a user of them; else it is answered 404")
    ] = False
    body_max_bytes: Annotated[int, Meta(description="largest request body, also after decompression; past it 413", ge=1024)] = 1 << 20
    bodies_max_mb: Annotated[
        int, Meta(description="bodies and requests that wait to be answered, of all connections together; past it 503", ge=8)
    ] = 256
    fast_lane: Annotated[
        bool, Meta(description="plain POST /events are taken beneath ASGI, with the same answers; false for one way alone")
    ] = True
    bulk_items_max: Annotated[int, Meta(description="items one bulk request may have; past it 422", ge=1, le=10_000)] = 1000
    jobs_refused_max_mb: Annotated[
        int, Meta(description="refused bulk items kept of one workspace; of more the oldest jobs are dropped before their time", ge=1)
    ] = 256
    jobs_keep_days: Annotated[int, Meta(description="days after which a bulk job, and its list of refused items, is dropped", ge=1)] = 7
    body_timeout_s: Annotated[
        float, Meta(description="time a client has to send a request's head, and again its body; past it 408", gt=0)
    ] = 30.0
    answer_timeout_s: Annotated[
        float, Meta(description="time a client may take nothing of what it is answered; past it the connection ends", gt=0)
    ] = 60.0
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
        Literal["day", "exact"],
        Meta(description="what contact search compares dates by: day, whole days in the workspace's time zone; exact, seconds"),
    ] = "day"
    search_max_s: Annotated[float, Meta(description="longest time one contact search may take; past it 400", gt=0)] = 10.0
    threads: Annotated[int, Meta(description="threads for reads and for writes to the directory", ge=1, le=64)] = 8
    background_threads: Annotated[
        int, Meta(description="threads for what takes long: searches, long lists, exports, looking for what to delete", ge=1, le=16)
    ] = 2
    request_log: Annotated[
        Literal["off", "refused", "all"],
        Meta(description="which requests are kept in requests.db to be searched: off, refused (status 400 and up), all"),
    ] = "refused"
    request_log_days: Annotated[float, Meta(description="age past which they are dropped", ge=0)] = 7.0
    request_log_rows: Annotated[int, Meta(description="how many are kept at most; of more the oldest are dropped", ge=1000)] = 200_000
    messenger_visitor_per_minute: Annotated[
        int,
        Meta(
            description="items one visitor's browser may deliver a minute, in shares of ten seconds; past a share 429; 0 for no limit", ge=0
        ),
    ] = 1200
    messenger_address_per_minute: Annotated[
        int, Meta(description="items all browsers behind one address may deliver a minute; past a share 429; 0 for no limit", ge=0)
    ] = 12_000
    messenger_bots: Annotated[
        Literal["keep", "refuse"], Meta(description="whether what robots deliver is kept, going by what they call themselves")
    ] = "keep"
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
    default: Any
    meaning: str


_HINTS = typing.get_type_hints(Settings, include_extras=True)
_DEFAULTS = Settings()
SETTINGS = tuple(Row(name, getattr(_DEFAULTS, name), typing.get_args(_HINTS[name])[1].description) for name in Settings.__struct_fields__)
OVERRIDES = tuple(name for name in Settings.__struct_fields__ if name in {row[0] for row in PROFILES_TABLE})
_NAMES = {row.name for row in SETTINGS}


def _is_secret(text: str) -> bool:
    return not text or (len(text) <= SECRET_MAX and all("!" <= letter <= "~" for letter in text))


def _is_version(text: str) -> bool:
    try:
        served(None, default=text, newer=False)
    except VersionInvalid:
        return False
    return True


# setting: (what it must be, whether a text is), for those whose type does not say all
TEXTS: dict[str, tuple[str, Callable[[str], bool]]] = {
    "data": ("the name of a directory", bool),
    "token": (f"1 to {SECRET_MAX} visible ASCII characters without blanks", _is_secret),
    "identity_secret": (
        f"{IDENTITY_SECRET[0]} to {IDENTITY_SECRET[1]} visible ASCII characters without blanks",
        lambda text: not text or is_identity_secret(text),
    ),
    "profile": (" or ".join(PROFILES), PROFILES.__contains__),
    "public_url": ("an address that begins with http:// or https://", lambda text: not text or text.startswith(("http://", "https://"))),
    "default_version": ("a version such as 2.14", _is_version),
}


def _wanted(name: str) -> str:
    """What a value must be, in words."""
    if name in TEXTS:
        return TEXTS[name][0]
    kind, meta = typing.get_args(_HINTS[name])
    if typing.get_origin(kind) is Literal:
        *others, last = typing.get_args(kind)
        return f"{', '.join(others)} or {last}"
    if kind is bool:
        return f"yes or no ({', '.join(YES[1:] + NO[1:])} do too)"
    if kind is str:
        return "text"
    if name in OVERRIDES:
        return "a whole number of at least 0"
    number = "a number" if kind is float else "a whole number"
    if meta.le is not None:
        return f"{number} from {meta.ge} to {meta.le}"
    return f"{number} above {meta.gt}" if meta.gt is not None else f"{number} of at least {meta.ge}"


def _from_file(data: Path) -> dict[str, Any]:
    path = data / FILE_NAME
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except NotADirectoryError:
        raise SettingInvalid(f"{data} is no directory: name one with --data", field="data") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingInvalid(f'{path} is no TOML: {error}. Its lines are like port = 9000 or host = "0.0.0.0"') from None
    except OSError as error:
        raise SettingInvalid(f"{path} cannot be read: {error.strerror}") from None


def _check(name: str, value: Any, source: str) -> Any:
    """The value as its setting has it. `source` is what the user wrote it as. Raises SettingInvalid."""
    if name not in _NAMES:
        raise SettingInvalid(f"{source}: there is no such setting; trackrecord settings lists them all", field=name)
    if value == "" and name in OVERRIDES:
        return None
    kind = typing.get_args(_HINTS[name])[0]
    if kind is bool and str(value).lower() in YES + NO:
        return str(value).lower() in YES
    try:
        checked = msgspec.convert(value, _HINTS[name], strict=not isinstance(value, str))
        good = TEXTS[name][1](checked) if name in TEXTS else str(checked) != "nan" and (name not in OVERRIDES or checked >= 0)
    except msgspec.ValidationError:
        good = False
    if good:
        return checked
    got = "" if name in SECRETS else f", got {value!r}"  # a secret is never shown
    quotes = " in quotes" if isinstance(getattr(_DEFAULTS, name), str) and not isinstance(value, str) else ""
    raise SettingInvalid(f"{source} must be {_wanted(name)}{quotes}{got}", field=name)


def _of_kubernetes(name: str, value: str) -> bool:
    """Kubernetes sets such variables in every pod beside a Service called trackrecord; they are not meant for us."""
    return name.startswith((f"{ENV_PREFIX}SERVICE_", f"{ENV_PREFIX}PORT_")) or (name == f"{ENV_PREFIX}PORT" and value.startswith("tcp://"))


def _from_environment(environ: Mapping[str, str]) -> dict[str, Any]:
    found = {}
    for variable, value in environ.items():
        name = variable.removeprefix(ENV_PREFIX).lower()
        if variable.startswith(ENV_PREFIX) and name not in NOT_SETTINGS and not _of_kubernetes(variable, value):
            found[name] = _check(name, value, variable)
    return found


def origins(settings: Settings, environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Where the value of each setting came from: the name of a variable, FILE_NAME, `default`, or `a flag` for what none of these says.

    Raises SettingInvalid where variables or the file have become such since they were read.
    """
    from_env = _from_environment(environ)
    in_file = {} if settings.ephemeral else _from_file(Path(settings.data))
    found = {}
    for row in SETTINGS:
        value = getattr(settings, row.name)
        if row.name in from_env and from_env[row.name] == value:
            found[row.name] = ENV_PREFIX + row.name.upper()
        elif row.name in in_file and _check(row.name, in_file[row.name], FILE_NAME) == value:
            found[row.name] = FILE_NAME
        else:
            found[row.name] = "default" if value == row.default else "a flag"
    return found


def load(flags: Mapping[str, Any], environ: Mapping[str, str] = os.environ, *, pairs: Sequence[tuple[str, str]] = ()) -> Settings:
    """Put the sources together. Raises SettingInvalid.

    `flags` are options by their setting's name; None counts as not given. `pairs` are those of --set, as they were typed; a flag
    counts before them, and of two the later.
    """
    given = {}
    for typed, value in pairs:
        name = typed.replace("-", "_")
        given[name] = _check(name, value, f"--set {typed}")
    given |= {name: _check(name, value, f"--{name.replace('_', '-')}") for name, value in flags.items() if value is not None}
    from_env = _from_environment(environ)
    data = Path(given.get("data") or from_env.get("data") or Settings().data)
    ephemeral = given.get("ephemeral", from_env.get("ephemeral", False))
    lines = {} if ephemeral else _from_file(data)
    for name in NOT_IN_FILE & lines.keys():
        raise SettingInvalid(f"{name} cannot be set in {data / FILE_NAME}, which lies in the data directory; use --{name}", field=name)
    from_file = {name: _check(name, value, f"{name} in {data / FILE_NAME}") for name, value in lines.items()}
    return msgspec.convert({**from_file, **from_env, **given}, Settings)
