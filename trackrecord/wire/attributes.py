"""Data attributes on the wire: what is sent to declare and change one, and how they are listed."""

from collections.abc import Iterable
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from ..errors import ModelInvalid, ParameterInvalid
from ..rules import attributes as rules
from ..rules.attributes import MODELS, Attribute, AttributeChanges, Declaration
from ..rules.standard_attributes import STANDARD, StandardAttribute
from ..rules.versions import Version, has
from .json import decode
from .params import Query, last

CONVERSATION = "conversation"  # a model of the wire that has no attributes here


class SentAttribute(msgspec.Struct, frozen=True):
    """The body of POST /data_attributes. `options` is a list of objects with a `value`, or of strings.

    Source: API reference, "Create a data attribute".
    """

    name: str | UnsetType | None = UNSET
    model: str | UnsetType | None = UNSET
    data_type: str | UnsetType | None = UNSET
    description: str | UnsetType | None = UNSET
    options: Any = UNSET
    messenger_writable: bool | UnsetType | None = UNSET


class SentAttributeChanges(msgspec.Struct, frozen=True):
    """The body of PUT /data_attributes/{id}: what is sent changes, the rest stays."""

    archived: bool | UnsetType | None = UNSET
    description: str | UnsetType | None = UNSET
    options: Any = UNSET
    messenger_writable: bool | UnsetType | None = UNSET


class AttributeBody(msgspec.Struct, frozen=True, kw_only=True):
    """A data attribute. Standard ones have no id, admin or times. Times are whole Unix seconds.

    Source: API reference, the data attribute object, in the order of its examples.
    """

    id: int | UnsetType = UNSET
    type: str = "data_attribute"
    name: str
    full_name: str
    label: str
    description: str | UnsetType = UNSET
    data_type: str
    options: list[str] | UnsetType = UNSET
    api_writable: bool
    ui_writable: bool = False
    messenger_writable: bool
    custom: bool
    archived: bool
    admin_id: str | UnsetType = UNSET
    created_at: int | UnsetType = UNSET
    updated_at: int | UnsetType = UNSET
    model: str


class AttributeList(msgspec.Struct, frozen=True, tag_field="type", tag="list"):
    data: list[AttributeBody]


class OldAttributeList(msgspec.Struct, frozen=True, tag_field="type", tag="data_attribute.list"):
    """The same before version 2.0."""

    data_attributes: list[AttributeBody]


def parse_models(query: Query, *, version: Version) -> list[str]:
    """Whose attributes GET /data_attributes is to list: one model's, or all without `model`. Conversations have none here.

    Raises ParameterInvalid for another model, and ModelInvalid for conversations from 2.16 on. Source: the contract, 7.
    """
    model = last(query, "model")
    if model is None:
        return list(MODELS)
    if model == CONVERSATION:
        if has(version, "no_conversation_attributes"):
            raise ModelInvalid(f"{rules.MODEL_INVALID}, not {CONVERSATION}", field="model")
        return []
    if model not in MODELS:
        raise ParameterInvalid(f"{rules.MODEL_INVALID}, got {model[:40]!r}", field="model")
    return [model]


def parse_declaration(body: bytes) -> Declaration:
    """Read the body of POST /data_attributes. Raises what decode and rules.attributes.declaration raise."""
    return rules.declaration(_given(decode(body, SentAttribute)))


def parse_changes(body: bytes) -> AttributeChanges:
    """Read the body of PUT /data_attributes/{id}; an empty one changes nothing. Raises what decode and rules raise."""
    return rules.attribute_changes(_given(decode(body or b"{}", SentAttributeChanges)))


def _given(sent: msgspec.Struct) -> dict[str, Any]:
    return {name: value for name in sent.__struct_fields__ if (value := getattr(sent, name)) is not UNSET}


def item(attribute: Attribute, *, version: Version) -> AttributeBody:
    return AttributeBody(
        id=attribute.id,
        name=attribute.name,
        full_name=f"custom_attributes.{attribute.name}",
        label=attribute.label or attribute.name,
        description=UNSET if attribute.description is None else attribute.description,
        data_type=_shown_type(attribute.data_type, version),
        options=UNSET if attribute.options is None else attribute.options,
        api_writable=True,
        messenger_writable=attribute.messenger_writable,
        custom=True,
        archived=attribute.archived,
        admin_id=UNSET if attribute.admin is None else str(attribute.admin),
        created_at=attribute.created_at,
        updated_at=attribute.created_at if attribute.updated_at is None else attribute.updated_at,
        model=attribute.model,
    )


def _shown_type(data_type: str, version: Version) -> str:
    """Versions before the Preview know no type for a moment but date."""
    return "date" if data_type == "datetime" and not has(version, "datetime_attributes") else data_type


def standard_item(attribute: StandardAttribute) -> AttributeBody:
    return AttributeBody(
        name=attribute.name,
        full_name=attribute.full_name,
        label=attribute.label,
        description=attribute.description,
        data_type=attribute.data_type,
        api_writable=attribute.api_writable,
        messenger_writable=attribute.api_writable,
        custom=False,
        archived=False,
        model=attribute.model,
    )


def listing(attributes: Iterable[Attribute], *, models: Iterable[str], version: Version) -> AttributeList | OldAttributeList:
    """The standard attributes of these models, then the custom ones."""
    wanted = set(models)
    shown = [standard_item(each) for each in STANDARD if each.model in wanted]
    shown += [item(each, version=version) for each in attributes]
    return AttributeList(shown) if has(version, "typed_lists") else OldAttributeList(shown)
