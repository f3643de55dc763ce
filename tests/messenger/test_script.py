"""How the script is served. What it does in a page: tests/browser and tests/snippet."""

import pytest
from wire.client import Api

from trackrecord.errors import Unavailable
from trackrecord.messenger.script import script

try:
    NAME = script().name
except Unavailable as error:
    pytest.skip(error.message, allow_module_level=True)


def test_the_script_is_served_to_everybody_and_has_a_twin_that_never_changes(api: Api):
    anybody = Api(api.server, token=None)
    served = anybody.get("/widget/trackrecord")
    assert served.status == 200
    assert served.header("content-type") == "text/javascript; charset=utf-8"
    assert served.header("cache-control") == "public, max-age=300, stale-while-revalidate=86400"
    assert served.header("access-control-allow-origin") == "*"
    twin = anybody.get(f"/messenger/static/{NAME}")
    assert (twin.body, twin.header("cache-control")) == (served.body, "public, max-age=31536000, immutable")
    source_map = anybody.get(served.header("sourcemap") or "")
    assert source_map.json["version"] == 3
    assert served.body.decode().rstrip().endswith(f"//# sourceMappingURL={served.header('sourcemap')}")


def test_who_has_the_script_already_gets_304(api: Api):
    etag = api.get("/widget/trackrecord").header("etag")
    again = api.get("/widget/trackrecord", f"If-None-Match: {etag}")
    assert (again.status, again.body) == (304, b"")
    assert api.get("/widget/trackrecord", 'If-None-Match: "other"').status == 200


def test_no_other_file_is_there(api: Api):
    for name in ("widget.js", "widget.0000000000000000.js", "..%2Fscript.py"):
        assert api.get(f"/messenger/static/{name}").status == 404
