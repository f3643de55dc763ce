"""The people who run a workspace, on the wire: what GET /me, GET /admins and GET /admins/{id} answer."""

from collections.abc import Sequence

import msgspec
from msgspec import UNSET, UnsetType

from ..rules.directory import Admin, Workspace
from ..rules.versions import Version, has


class AdminAvatar(msgspec.Struct, frozen=True, kw_only=True):
    type: str = "avatar"
    image_url: str | None = None


class App(msgspec.Struct, frozen=True, kw_only=True):
    """The workspace. Connectors choose a host by `region`, and days by `timezone`, an IANA name."""

    type: str = "app"
    id_code: str
    name: str
    created_at: int
    secure: bool = False
    identity_verification: bool = False
    timezone: str
    region: str


class Me(msgspec.Struct, frozen=True, kw_only=True):
    """What GET /me answers. Source: API reference, "Identify an admin"."""

    type: str = "admin"
    id: str
    email: str
    name: str
    email_verified: bool = True
    app: App
    avatar: AdminAvatar
    has_inbox_seat: bool = True


class AdminRole(msgspec.Struct, frozen=True, kw_only=True):
    type: str = "role"
    id: str
    name: str


class AdminBody(msgspec.Struct, frozen=True, kw_only=True):
    """An admin, alone or in a list. Nobody is ever away here, and nobody has a role.

    Source: API reference, "List all admins" and "Retrieve an admin"; away_status_reason_id, shown of one admin, came with 2.14,
    role with 2.16.
    """

    type: str = "admin"
    id: str
    name: str
    email: str
    away_mode_enabled: bool = False
    away_mode_reassign: bool = False
    has_inbox_seat: bool = True
    away_status_reason_id: int | UnsetType | None = UNSET
    team_ids: tuple[int, ...] = ()
    role: AdminRole | UnsetType | None = UNSET


class AdminList(msgspec.Struct, frozen=True, kw_only=True):
    type: str = "admin.list"
    admins: list[AdminBody]


def me(admin: Admin, workspace: Workspace) -> Me:
    """The admin a token speaks for, with the workspace it opens."""
    app = App(
        id_code=workspace.id,
        name=workspace.name,
        created_at=workspace.created_at,
        identity_verification=workspace.identity_enforced,
        timezone=workspace.timezone,
        region=workspace.region,
    )
    return Me(id=admin.id, email=admin.email, name=admin.name, app=app, avatar=AdminAvatar())


def detail(admin: Admin, *, version: Version) -> AdminBody:
    """What GET /admins/{id} answers a caller of this version."""
    reason = None if has(version, "away_status_reason") else UNSET
    return msgspec.structs.replace(_item(admin, version), away_status_reason_id=reason)


def listing(admins: Sequence[Admin], *, version: Version) -> AdminList:
    return AdminList(admins=[_item(admin, version) for admin in admins])


def _item(admin: Admin, version: Version) -> AdminBody:
    return AdminBody(id=admin.id, name=admin.name, email=admin.email, role=None if has(version, "admin_role") else UNSET)
