"""The people who run a workspace, on the wire: what GET /me, GET /admins and GET /admins/{id} answer."""

from collections.abc import Sequence

import msgspec

from ..rules.directory import Admin, Workspace


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


class AdminItem(msgspec.Struct, frozen=True, kw_only=True):
    """One of GET /admins. Source: API reference, "List all admins"."""

    type: str = "admin"
    id: str
    name: str
    email: str
    away_mode_enabled: bool = False
    away_mode_reassign: bool = False
    has_inbox_seat: bool = True
    team_ids: tuple[int, ...] = ()


class AdminDetail(msgspec.Struct, frozen=True, kw_only=True):
    """What GET /admins/{id} answers. Source: API reference, "Retrieve an admin"."""

    type: str = "admin"
    id: str
    name: str
    email: str
    away_mode_enabled: bool = False
    away_mode_reassign: bool = False
    has_inbox_seat: bool = True
    away_status_reason_id: int | None = None
    team_ids: tuple[int, ...] = ()


class AdminList(msgspec.Struct, frozen=True, kw_only=True):
    type: str = "admin.list"
    admins: list[AdminItem]


def me(admin: Admin, workspace: Workspace) -> Me:
    """The admin a token speaks for, with the workspace it opens."""
    app = App(
        id_code=workspace.id,
        name=workspace.name,
        created_at=workspace.created_at,
        timezone=workspace.timezone,
        region=workspace.region,
    )
    return Me(id=admin.id, email=admin.email, name=admin.name, app=app, avatar=AdminAvatar())


def detail(admin: Admin) -> AdminDetail:
    return AdminDetail(id=admin.id, name=admin.name, email=admin.email)


def listing(admins: Sequence[Admin]) -> AdminList:
    return AdminList(admins=[AdminItem(id=admin.id, name=admin.name, email=admin.email) for admin in admins])
