"""Custom attributes: which there are in a workspace, and of what type.

They are declared through `create`, or by their first use where the profile lets them.
"""

from collections.abc import Mapping

import sqlalchemy as sa

from ..errors import ParameterInvalid
from ..rules.attributes import DATA_TYPES, Attribute, attribute_value, settled_type
from ..rules.profiles import Profile
from ..rules.values import Scalar
from .engine import Database, in_chunks
from .tables import attributes

# What can have attributes, and what its data is called in messages. Source: API reference, "Create a data attribute".
MODELS = {"contact": "people", "company": "company"}


class Attributes:
    def __init__(self, db: Database) -> None:
        self._db = db

    def create(self, workspace: int, *, model: str, name: str, data_type: str, now: int) -> Attribute:
        """Declare an attribute at `now` (whole Unix seconds).

        Raises ParameterInvalid for a name the model has already, archived or not, and for an unknown model or type.
        Source: API reference, "Create a data attribute".
        """
        if model not in MODELS:
            raise ParameterInvalid("The Data Attribute model field must be either contact or company", field="model")
        if data_type not in (row[0] for row in DATA_TYPES):
            raise ParameterInvalid("Data Type isn't an option", field="data_type")
        with self._db.writing() as connection:
            if _known(connection, workspace, model, [name]):
                data = f"{MODELS[model]} data"
                text = f"You already have '{name}' in your {data}. To save this as new {data}, use a different name."
                raise ParameterInvalid(text, field="name")
            return _declare(connection, workspace, model, name, data_type, now=now, declared=True)

    def list(self, workspace: int, *, model: str = "contact", include_archived: bool = False) -> list[Attribute]:
        """Those of one model, oldest first."""
        wanted = sa.select(attributes).where(attributes.c.workspace == workspace, attributes.c.model == model).order_by(attributes.c.id)
        if not include_archived:
            wanted = wanted.where(attributes.c.archived.is_(False))
        with self._db.reading() as connection:
            return [Attribute(**row) for row in connection.execute(wanted).mappings()]


class Settling:
    """Custom attributes of contacts within one write: values are made to fit, and new attributes declared as they come."""

    def __init__(self, connection: sa.Connection, workspace: int, *, profile: Profile, now: int) -> None:
        self._connection = connection
        self._workspace = workspace
        self._profile = profile
        self._now = now
        self._seen: dict[str, Attribute | None] = {}

    def settle(self, given: Mapping[str, Scalar]) -> dict[str, Scalar]:
        """The values as they are kept; None stays, and means that the contact loses it.

        All or nothing: where one does not fit, none declares or widens an attribute. Raises ParameterInvalid or TypeMismatch
        with the field `custom_attributes.<name>`.
        """
        unseen = [name for name in given if name not in self._seen]
        if unseen:
            self._seen |= dict.fromkeys(unseen) | _known(self._connection, self._workspace, "contact", unseen)
        settled: dict[str, Scalar] = {}
        types: dict[str, str] = {}
        for name, value in given.items():
            data_type = settled_type(name, value, self._seen[name], profile=self._profile)
            if data_type is not None:
                settled[name] = attribute_value(name, value, data_type)
                types[name] = data_type
        for name, data_type in types.items():
            known = self._seen[name]
            if known is None:
                self._seen[name] = _declare(self._connection, self._workspace, "contact", name, data_type, now=self._now, declared=False)
            elif known.data_type != data_type:
                widened = sa.update(attributes).where(attributes.c.id == known.id).values(data_type=data_type).returning(attributes)
                self._seen[name] = Attribute(**self._connection.execute(widened).mappings().one())
        return settled


def _known(connection: sa.Connection, workspace: int, model: str, names: "list[str]") -> dict[str, Attribute]:
    mine = sa.select(attributes).where(attributes.c.workspace == workspace, attributes.c.model == model)
    return {
        row["name"]: Attribute(**row)
        for some in in_chunks(names)
        for row in connection.execute(mine.where(attributes.c.name.in_(some))).mappings()
    }


def _declare(connection: sa.Connection, workspace: int, model: str, name: str, data_type: str, *, now: int, declared: bool) -> Attribute:
    made = {
        "workspace": workspace,
        "model": model,
        "name": name,
        "data_type": data_type,
        "declared": declared,
        "archived": False,
        "created_at": now,
    }
    return Attribute(**connection.execute(sa.insert(attributes).values(made).returning(attributes)).mappings().one())
