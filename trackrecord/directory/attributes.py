"""Custom attributes: which there are in a workspace, and of what type.

They are declared through `create`, or by their first use where the profile lets them.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from msgspec import UNSET

from ..errors import DataInvalid, FieldNotFound, ParameterInvalid
from ..rules.attributes import (
    DATA_TYPES,
    DEPENDENT,
    MODEL_INVALID,
    MODELS,
    NOT_FOUND,
    TYPE_INVALID,
    Attribute,
    AttributeChanges,
    attribute_value,
    settled_type,
)
from ..rules.profiles import Profile
from ..rules.segments import names_attribute
from ..rules.values import Scalar
from .admins import first_admin
from .engine import Database, in_chunks
from .tables import attributes, segments

NUMBER_DIGITS_MAX = 18  # of an id; longer ones were never given


class Attributes:
    def __init__(self, db: Database) -> None:
        self._db = db

    def create(
        self,
        workspace: int,
        *,
        model: str,
        name: str,
        data_type: str,
        now: int,
        description: str | None = None,
        options: "list[str] | None" = None,
        messenger_writable: bool = False,
    ) -> Attribute:
        """Declare an attribute at `now` (whole Unix seconds).

        Raises ParameterInvalid for a name that contacts or companies have already, archived or not, and for an unknown model
        or type. Source: API reference, "Create a data attribute".
        """
        if model not in MODELS:
            raise ParameterInvalid(MODEL_INVALID, field="model")
        if data_type not in (row[0] for row in DATA_TYPES):
            raise ParameterInvalid(TYPE_INVALID, field="data_type")
        with self._db.writing() as connection:
            for there in sorted(MODELS, key=lambda each: each != model):
                if _known(connection, workspace, there, [name]):
                    had, new = f"{MODELS[there]} data", f"{MODELS[model]} data"
                    text = f"You already have '{name}' in your {had}. To save this as new {new}, use a different name."
                    raise ParameterInvalid(text, field="name")
            more = {
                "description": description,
                "options": sa.null() if options is None else options,
                "messenger_writable": messenger_writable,
                "admin": first_admin(connection, workspace),
            }
            return _declare(connection, workspace, model, name, data_type, now=now, declared=True, more=more)

    def list(self, workspace: int, *, model: str = "contact", include_archived: bool = False) -> Sequence[Attribute]:
        """Those of one model, oldest first."""
        wanted = sa.select(attributes).where(attributes.c.workspace == workspace, attributes.c.model == model).order_by(attributes.c.id)
        if not include_archived:
            wanted = wanted.where(attributes.c.archived.is_(False))
        with self._db.reading() as connection:
            return [Attribute(**row) for row in connection.execute(wanted).mappings()]

    def named(self, workspace: int, names: Collection[str], *, model: str) -> dict[str, Attribute]:
        """Those of one model that have these names, archived ones too, by name."""
        with self._db.reading() as connection:
            return _known(connection, workspace, model, list(names))

    def update(self, workspace: int, id: str, changes: AttributeChanges, *, now: int) -> Attribute:
        """Change an attribute at `now`; one that would stay the same is not written. Values that contacts have are left alone.

        Raises FieldNotFound, DataInvalid where it would be archived while a segment asks for it, and ParameterInvalid for
        options of an attribute that is no string. Source: API reference, "Update a data attribute".
        """
        with self._db.writing() as connection:
            before = _get(connection, workspace, id)
            given = {name: value for name in changes.__struct_fields__ if (value := getattr(changes, name)) is not UNSET}
            changed = {name: value for name, value in given.items() if value != getattr(before, name)}
            if not changed:
                return before
            if "options" in changed and before.data_type != "string":
                raise ParameterInvalid(f"only attributes of type string can have options, this is {before.data_type}", field="options")
            if changed.get("archived") and before.model == "contact" and _asked_for(connection, workspace, before.name):
                raise DataInvalid(DEPENDENT, field="archived")
            written = sa.update(attributes).where(attributes.c.id == before.id).values(**changed, updated_at=now).returning(attributes)
            return Attribute(**connection.execute(written).mappings().one())


class Settling:
    """Custom attributes within one write: values are made to fit, and new attributes declared as they come.

    `model` is whose they are, one of rules.attributes.MODELS.
    """

    def __init__(self, connection: sa.Connection, workspace: int, *, profile: Profile, now: int, model: str = "contact") -> None:
        self._connection = connection
        self._workspace = workspace
        self._profile = profile
        self._now = now
        self._model = model
        self._seen: dict[str, Attribute | None] = {}

    def settle(self, given: Mapping[str, Scalar]) -> dict[str, Scalar]:
        """The values as they are kept; None stays, and means that it loses it.

        All or nothing: where one does not fit, none declares or widens an attribute. Raises ParameterInvalid or TypeMismatch
        with the field `custom_attributes.<name>`.
        """
        unseen = [name for name in given if name not in self._seen]
        if unseen:
            self._seen |= dict.fromkeys(unseen) | _known(self._connection, self._workspace, self._model, unseen)
        settled: dict[str, Scalar] = {}
        types: dict[str, str] = {}
        for name, value in given.items():
            known = self._seen[name]
            data_type = settled_type(name, value, known, profile=self._profile)
            if data_type is not None:
                settled[name] = attribute_value(name, value, data_type, None if known is None else known.options)
                types[name] = data_type
        for name, data_type in types.items():
            known = self._seen[name]
            if known is None:
                self._seen[name] = _declare(self._connection, self._workspace, self._model, name, data_type, now=self._now, declared=False)
            elif known.data_type != data_type:
                widened = sa.update(attributes).where(attributes.c.id == known.id).values(data_type=data_type).returning(attributes)
                self._seen[name] = Attribute(**self._connection.execute(widened).mappings().one())
        return settled


def _get(connection: sa.Connection, workspace: int, id: str) -> Attribute:
    if id.isascii() and id.isdigit() and len(id) <= NUMBER_DIGITS_MAX:
        wanted = sa.select(attributes).where(attributes.c.workspace == workspace, attributes.c.id == int(id))
        row = connection.execute(wanted).mappings().one_or_none()
        if row is not None:
            return Attribute(**row)
    raise FieldNotFound(NOT_FOUND, field="data_attribute_id", cause=f"there is no attribute {id[:40]!r}")


def _asked_for(connection: sa.Connection, workspace: int, name: str) -> bool:
    queries = connection.scalars(sa.select(segments.c.query).where(segments.c.workspace == workspace))
    return any(names_attribute(query, name) for query in queries)


def _known(connection: sa.Connection, workspace: int, model: str, names: Sequence[str]) -> dict[str, Attribute]:
    mine = sa.select(attributes).where(attributes.c.workspace == workspace, attributes.c.model == model)
    return {
        row["name"]: Attribute(**row)
        for some in in_chunks(names)
        for row in connection.execute(mine.where(attributes.c.name.in_(some))).mappings()
    }


def _declare(
    connection: sa.Connection,
    workspace: int,
    model: str,
    name: str,
    data_type: str,
    *,
    now: int,
    declared: bool,
    more: Mapping[str, Any] | None = None,
) -> Attribute:
    made = {
        "workspace": workspace,
        "model": model,
        "name": name,
        "data_type": data_type,
        "declared": declared,
        "archived": False,
        "created_at": now,
        "options": sa.null(),
        **(more or {}),
    }
    return Attribute(**connection.execute(sa.insert(attributes).values(made).returning(attributes)).mappings().one())
