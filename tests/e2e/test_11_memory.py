"""What a worker holds."""
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import scepmsg

pytestmark = pytest.mark.plain


def pss(pid):
    """KiB of the process's own share of memory."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1])
    raise AssertionError("no Pss")


def test_no_core_file_with_keys_in_it(site, client_of):
    client = client_of(site, site.start("lighttpd-socket"))
    responder = client.front.responder
    for pid in [responder.pid, *responder.workers()]:
        limit, = (line.split()[-3:] for line in Path(f"/proc/{pid}/limits").read_text().splitlines() if line.startswith("Max core file size"))
        assert limit == ["0", "0", "bytes"]


def test_memory_after_1000_enrolments(site, client_of):
    client = client_of(site, site.start("lighttpd-socket"))
    challenge = client.challenge("--uses", "1000")
    client.post_raw(bytes(1024 * 1024))

    def one(n):
        request = client.request(label=f"memory {n % 4}", common_name=f"memory {n}", challenge=challenge)
        return client.send(request).status
    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(one, range(1000))) == {scepmsg.SUCCESS}
    for pid in client.front.responder.workers():
        assert pss(pid) <= 12 * 1024, f"{pss(pid)} KiB"
