"""Companies on the wire: what is sent to make or change one, and how they are shown alone, in pages and in a scroll."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

import msgspec
from msgspec import UNSET, UnsetType

from ..errors import ParameterNotFound
from ..rules import companies as rules
from ..rules.companies import NOT_SPECIFIED, Company, CompanyChanges
from ..rules.directory import Workspace
from ..rules.identity import as_text
from ..rules.tags import Tag
from ..rules.values import Scalar
from ..rules.versions import Version, has
from .json import decode
from .pages import LinkPages
from .tags import OldTagList
from .tags import item as tag_item

PER_PAGE_DEFAULT = 15  # Source: API reference, "List all companies"
PER_PAGE_OF_CONTACT = 50  # Source: the contract, 7
SCROLL_PAGE = 100  # Source: API reference, "Scroll over all companies"


class SentCompany(msgspec.Struct, frozen=True, kw_only=True):
    """The body of POST /companies and PUT /companies/{id}. Source: API reference, "Create or update a company"."""

    company_id: str | int | UnsetType | None = UNSET
    name: str | UnsetType | None = UNSET
    plan: str | dict[str, Any] | UnsetType | None = UNSET
    size: int | float | str | UnsetType | None = UNSET
    website: str | UnsetType | None = UNSET
    industry: str | UnsetType | None = UNSET
    monthly_spend: int | float | str | UnsetType | None = UNSET
    remote_created_at: int | float | str | UnsetType | None = UNSET
    custom_attributes: dict[str, Any] | list[Any] | UnsetType | None = UNSET  # a list only empty: so PHP writes an empty object


class SentAttachment(msgspec.Struct, frozen=True):
    """The body of POST /contacts/{id}/companies. `id` is the company's."""

    id: str | int | None = None


class Plan(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Empty where a company has none."""

    type: str | UnsetType = UNSET
    name: str | UnsetType = UNSET


class NoSegments(msgspec.Struct, frozen=True, kw_only=True):
    """No company is in a segment here."""

    type: str = "segment.list"
    segments: tuple[()] = ()


class CompanyBody(msgspec.Struct, frozen=True, tag_field="type", tag="company", kw_only=True):
    """A company. Size, website and industry are there when they are known. Times are whole Unix seconds.

    Source: API reference, the company object, in the order of its examples.
    """

    company_id: str | None
    id: str
    app_id: str
    name: str | None
    remote_created_at: int | None
    created_at: int
    updated_at: int
    monthly_spend: int | float
    session_count: int = 0
    user_count: int
    size: int | UnsetType = UNSET
    website: str | UnsetType = UNSET
    industry: str | UnsetType = UNSET
    tags: OldTagList
    segments: NoSegments = NoSegments()
    plan: Plan
    custom_attributes: Mapping[str, Scalar]


class CompanyList(msgspec.Struct, frozen=True, tag_field="type", tag="list"):
    data: list[CompanyBody]
    pages: LinkPages
    total_count: int


class AttachedCompanies(msgspec.Struct, frozen=True, tag_field="type", tag="list"):
    """What GET /contacts/{id}/companies answers: the reference's examples call its items `data`, its schema, and so the generated
    clients, `companies`. They are the same.
    """

    data: list[CompanyBody]
    companies: list[CompanyBody]
    pages: LinkPages
    total_count: int


class OldCompanyList(msgspec.Struct, frozen=True, tag_field="type", tag="company.list"):
    """The same before version 2.0."""

    companies: list[CompanyBody]
    pages: LinkPages
    total_count: int


class CompanyScroll(msgspec.Struct, frozen=True, tag_field="type", tag="list"):
    """`data` is empty once the walk is over, and the scroll with it."""

    data: list[CompanyBody]
    pages: None
    total_count: None
    scroll_param: str


class OldCompanyScroll(msgspec.Struct, frozen=True, tag_field="type", tag="company.list"):
    """The same before version 2.0."""

    companies: list[CompanyBody]
    pages: None
    total_count: None
    scroll_param: str


class DeletedCompany(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    object: str = "company"
    deleted: bool = True


class Shown(Protocol):
    """A company with what is counted and looked up to show it."""

    @property
    def company(self) -> Company: ...

    @property
    def user_count(self) -> int: ...

    @property
    def tags(self) -> Sequence[Tag]: ...


def parse_changes(body: bytes) -> CompanyChanges:
    """Read the body of POST /companies or PUT /companies/{id}. Raises what decode and rules.companies.changes raise."""
    sent = decode(body or b"{}", SentCompany)
    return rules.changes({name: getattr(sent, name) for name in sent.__struct_fields__})


def parse_company(body: bytes) -> str:
    """Read the body of POST /contacts/{id}/companies. Raises what decode raises, and ParameterNotFound without an id."""
    id = as_text((decode(body, SentAttachment | None) or SentAttachment()).id) if body.strip() else None  # type: ignore[arg-type]
    if id is None:
        raise ParameterNotFound(NOT_SPECIFIED, field="id")
    return id


def item(shown: Shown, *, workspace: Workspace) -> CompanyBody:
    company = shown.company
    spend = company.monthly_spend or 0
    return CompanyBody(
        company_id=company.company_id,
        id=company.id,
        app_id=workspace.id,
        name=company.name,
        remote_created_at=company.remote_created_at,
        created_at=company.created_at,
        updated_at=company.updated_at,
        monthly_spend=int(spend) if float(spend).is_integer() else spend,
        user_count=shown.user_count,
        size=UNSET if company.size is None else company.size,
        website=UNSET if company.website is None else company.website,
        industry=UNSET if company.industry is None else company.industry,
        tags=OldTagList([tag_item(tag) for tag in shown.tags]),
        plan=Plan() if company.plan is None else Plan(type="plan", name=company.plan),
        custom_attributes=company.custom_attributes,
    )


def listing(
    found: Iterable[Shown], *, workspace: Workspace, version: Version, total: int, pages: LinkPages
) -> CompanyList | OldCompanyList:
    kind = CompanyList if has(version, "typed_lists") else OldCompanyList
    return kind([item(each, workspace=workspace) for each in found], pages, total)


def attached(found: Iterable[Shown], *, workspace: Workspace, total: int, pages: LinkPages) -> AttachedCompanies:
    shown = [item(each, workspace=workspace) for each in found]
    return AttachedCompanies(shown, shown, pages, total)


def scroll(found: Iterable[Shown], *, workspace: Workspace, version: Version, param: str) -> CompanyScroll | OldCompanyScroll:
    kind = CompanyScroll if has(version, "typed_lists") else OldCompanyScroll
    return kind([item(each, workspace=workspace) for each in found], None, None, param)


def deleted(company: Company) -> DeletedCompany:
    return DeletedCompany(id=company.id)
