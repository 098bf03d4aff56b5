"""What a worker holds, and what hostile input costs it."""
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import der
import pytest
import scepmsg

pytestmark = pytest.mark.plain


def pss(pid):
    """KiB of the process's own share of memory."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1])
    raise AssertionError("no Pss")


def cpu(pids):
    """Seconds of CPU that the processes have used."""
    return sum(int(Path(f"/proc/{p}/schedstat").read_text().split()[0]) for p in pids) / 1e9


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


def hostile(size):
    """Bodies that are dear to a careless parser."""
    many = der.seq(der.oid("1.2.3"), der.set_of(der.NULL_TLV))
    yield "tiny elements", der.tlv(der.SEQUENCE, der.NULL_TLV * (size // 2 - 8))
    yield "tiny attributes", der.tlv(der.SEQUENCE, many * (size // len(many) - 8))
    yield "nested", b"\x30\x80" * (size // 2)
    yield "constructed octets", b"\x24\x80" * (size // 2)
    yield "zeros", bytes(size)
    yield "long length", b"\x30\x84\xff\xff\xff\xff" + bytes(size - 6)
    device = scepmsg.Device.shared("hostile")
    base = device.request([device.cert], content=b"x")
    yield "many attributes", base.but(extra=(many,) * (size // len(many) - 200)).encode()
    yield "many certificates", base.but(certs=[device.cert] * (size // len(device.cert) - 2)).encode()
    yield "many recipients", base.but(content=None, recipients=[device.cert] * 200, plain=b"x" * (size // 2)).encode()
    yield "much content", base.but(content=bytes(size - 3000)).encode()
    yield "much BER content", base.but(content=bytes(size - 60000), ber=True).encode()


@pytest.mark.parametrize("name,body", list(hostile(1024 * 1024 - 100)), ids=lambda v: v if isinstance(v, str) else "")
def test_hostile_bodies_are_cheap(shared, name, body):
    """No MiB of unauthenticated input costs more than 20 ms of CPU, the signature of a signed refusal included."""
    assert len(body) <= 1024 * 1024
    workers = shared.front.responder.workers()
    times, status = [], None
    for _ in range(5):
        before = cpu(workers)
        answer = shared.post_raw(body)
        time.sleep(0.002)		# the worker may still be closing its connection
        times.append(cpu(workers) - before)
        status = answer.status
    assert shared.front.responder.workers() == workers, "a worker died"
    assert min(times) < 0.020, f"{name}: {min(times) * 1000:.1f} ms, status {status}"
