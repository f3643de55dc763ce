"""What hangs on a contact besides its own fields. Values only."""

import msgspec

SHOWN_MAX = 10  # of each kind in a contact object; the paths beside them list all. Source: the contract, 4.2


class Some(msgspec.Struct, frozen=True):
    """The first SHOWN_MAX ids of something that hangs on a contact, and how many there are."""

    ids: tuple[str, ...] = ()
    count: int = 0


class Belongings(msgspec.Struct, frozen=True, kw_only=True):
    tags: Some = Some()
    companies: Some = Some()


NOTHING = Belongings()
