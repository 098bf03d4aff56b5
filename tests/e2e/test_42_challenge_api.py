"""Challenges made by HTTP, through every web server with its own login, and used by SCEP clients."""
import base64
import json
import threading
from datetime import datetime, timedelta

import clients
import pytest
import rawhttp
import scepmsg
from cryptography import x509
from processes import new_folder

PATH = "/scep-admin/api/challenges"
PASSWORDS = {"mdm": "secret one", "alice": "secret:two", "bound": "three", "stranger": "four"}
FRONTS = ["lighttpd-socket", "mod_proxy_fcgi", "nginx"]


class Api:
    """scep-admin.fcgi behind a web server."""

    def __init__(self, site, kind):
        self.site = site
        site.administer("mdm", "alice", "bound", challenge_profiles="bound:other")
        site.profiles["other"] = site.profile()
        site.profiles["named"] = site.profile(subject={"template": "CN=${csr.cn},OU=${challenge.site},O=${challenge.owner:-nobody},UID=${challenge.id}"})
        site.profiles["closed"] = site.profile(enrol={"one_time_challenge": "no", "static_challenge_file": site.folder / "pepper"})
        self.front = site.start(kind, passwords=PASSWORDS)

    def ask(self, method="POST", path=PATH, body=None, user="mdm", password=None, headers=(), tls=True):
        """body: an object, or octets."""
        headers = list(headers)
        if user:
            word = f"{user}:{PASSWORDS[user] if password is None else password}"
            headers.append("Authorization: Basic " + base64.b64encode(word.encode()).decode())
        data = json.dumps(body).encode() if isinstance(body, dict) else body
        if data is not None and not any(h.lower().startswith("content-type") for h in headers):
            headers.append("Content-Type: application/json")
        return rawhttp.exchange(self.front.tls_port if tls else self.front.port, rawhttp.request(method, path, headers, data), tls)

    def make(self, user="mdm", **order):
        answer = self.ask(body=order, user=user)
        assert answer.status == 201, f"{answer.status}: {answer.body!r}\n{self.front.logs()[-2000:]}"
        return json.loads(answer.body)

    def get(self, query="", user="mdm"):
        answer = self.ask("GET", PATH + query, user=user)
        assert answer.status == 200, f"{answer.status}: {answer.body!r}"
        return json.loads(answer.body)["challenges"]

    def refused(self, status, error, said, **how):
        answer = self.ask(**how)
        assert answer.status == status, f"{answer.status}: {answer.body!r}\n{self.front.logs()[-2000:]}"
        assert answer.type == "application/json" and "no-store" in answer.headers["cache-control"]
        told = json.loads(answer.body)
        assert told["error"] == error and said in told["message"], told


@pytest.fixture(scope="module", params=FRONTS)
def api(request, make_site):
    site = make_site()
    yield Api(site, request.param)
    site.stop()


@pytest.fixture(scope="module")
def one(make_site):
    """The first of them, for what does not depend on the web server."""
    site = make_site()
    yield Api(site, FRONTS[0])
    site.stop()


def at(text):
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ")


# --- through each web server ---

def test_made_and_told_once(api):
    answer = api.ask(body={"profile": "default", "subject": "cn=dev , o=Example", "sans": ["DNS:Dev.Example", "ip:192.0.2.1"],
                           "device": "dev", "expires_in": 600, "uses": 2, "values": {"owner": "Alice Müller"}})
    assert (answer.status, answer.type) == (201, "application/json"), f"{answer}\n{api.front.logs()[-2000:]}"
    assert "no-store" in answer.headers["cache-control"] and "content-length" in answer.headers
    made = json.loads(answer.body)
    assert len(made["challenge"]) == 32
    row = next(c for c in api.get() if c["id"] == made["id"])
    assert row == {k: v for k, v in made.items() if k != "challenge"}
    assert (row["profile"], row["subject"], row["device"], row["uses_left"]) == ("default", "CN=dev,O=Example", "dev", 2)
    assert row["sans"] == ["dns:dev.example", "ip:192.0.2.1"] and row["values"] == {"owner": "Alice Müller"}
    assert at(row["expires"]) - at(row["created"]) == timedelta(minutes=10) and row["created_by"] == "mdm"
    actor, detail = api.site.execute("SELECT actor, detail FROM scep.audit WHERE kind = 'challenge.new' AND detail LIKE %s",
                                     f"%{made['id']}%")[0]
    assert actor == "mdm"
    everywhere = api.front.logs() + json.dumps(api.get("?all=yes")) + str(api.site.execute("SELECT a::text FROM scep.audit a"))
    assert made["challenge"] not in everywhere and made["id"] in api.front.logs()


def test_used_by_a_client(api):
    """strongSwan's pki asks for dns:phone.example; it writes the most specific part of a name last, RFC 4514 first."""
    made = api.make(subject="O=Example,CN=phone", sans=["dns:phone.example", "dns:other.example"])
    cert = clients.strongswan(api.site, api.front.url, new_folder("swan-", api.site.folder), made["challenge"], "phone")
    names = cert if isinstance(cert, x509.Certificate) else x509.load_der_x509_certificate(cert)
    sans = names.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert sans.get_values_for_type(x509.DNSName) == ["phone.example"]
    assert next(c for c in api.get("?all=yes") if c["id"] == made["id"])["state"] == "used"


def test_login(api):
    """Wrong names and passwords do not get past the web server; a right one that is not in [admin] users does not get further."""
    before = len(api.get("?all=yes"))
    for how in ({"user": None}, {"password": "wrong"}, {"password": ""}):
        for method, body in (("POST", {}), ("GET", None)):
            answer = api.ask(method, body=body, **how)
            assert answer.status == 401 and b"challenge" not in answer.body.lower(), f"{how}: {answer}"
    api.refused(403, "forbidden", "'stranger'", body={}, user="stranger")
    api.refused(403, "forbidden", "'stranger'", method="GET", user="stranger")
    api.refused(403, "forbidden", "'stranger'", method="GET", path="/scep-admin/nothing", user="stranger")
    assert api.ask(body={}, tls=False).status == 403, "in clear"
    assert len(api.get("?all=yes")) == before


@pytest.mark.parametrize("header", ["Remote-User: alice", "Remote_User: alice", "REMOTE_USER: alice", "X-Remote-User: alice",
                                    "X-Forwarded-User: alice", "HTTP_REMOTE_USER: alice", "REDIRECT_REMOTE_USER: alice", "AUTH_USER: alice"])
def test_no_header_makes_a_user(api, header):
    before = len(api.get("?all=yes"))
    assert api.ask(body={}, user=None, headers=[header]).status == 401
    assert api.ask(body={}, user="stranger", headers=[header]).status == 403
    assert len(api.get("?all=yes")) == before
    answer = api.ask(body={}, headers=[header])		# nginx and Apache drop what has an underscore, lighttpd passes it on
    assert answer.status == 201 and json.loads(answer.body)["created_by"] == "mdm"


def test_two_logins_at_once(api):
    """A second Authorization header decides nothing: one user, known to the server, or nobody."""
    answer = api.ask(body={}, user="stranger", headers=["Authorization: Basic " + base64.b64encode(b"mdm:wrong").decode()])
    assert answer.status in (400, 401, 403)


def test_list_and_revoke(api):
    made = api.make(user="alice", profile="other")
    assert made["id"] in {c["id"] for c in api.get("?profile=other")} and made["id"] not in {c["id"] for c in api.get("?profile=default")}
    answer = api.ask("DELETE", f"{PATH}/{made['id']}", user="alice")
    assert (answer.status, json.loads(answer.body)) == (200, {"revoked": made["id"]})
    assert made["id"] not in {c["id"] for c in api.get()}
    assert next(c for c in api.get("?all=yes&profile=other") if c["id"] == made["id"])["state"] == "revoked"
    api.refused(404, "not_found", "nonsense", method="DELETE", path=f"{PATH}/nonsense")
    assert api.site.execute("SELECT actor FROM scep.audit WHERE kind = 'challenge.revoke' AND detail LIKE %s", f"%{made['id']}%") == [("alice",)]
    head = api.ask("HEAD", PATH)
    assert head.status == 200 and head.body == b""


def test_as_text(api):
    answer = api.ask(body={"profile": "default"}, headers=["Accept: text/plain"])
    assert (answer.status, answer.type.split(";")[0]) == (201, "text/plain")
    assert len(answer.body) == 33 and answer.body.endswith(b"\n")
    bad = api.ask(body={"profile": "defalt"}, headers=["Accept: text/plain"])
    assert bad.status == 400 and bad.type.startswith("text/plain") and b"did you mean 'default'?\n" in bad.body
    assert api.ask(body={}, headers=["Accept: text/plain, application/json"]).type == "application/json"


def test_no_form_and_no_foreign_page(api):
    for kind in ("application/x-www-form-urlencoded", "text/plain", "multipart/form-data; boundary=x", "application/jsonx", ""):
        api.refused(415, "media", "application/json", body=b'{"profile": "default"}', headers=[f"Content-Type: {kind}"])
    assert api.ask(body={}, headers=["Content-Type: Application/JSON; charset=utf-8"]).status == 201
    for origin in ("https://evil.example", "null", "https://localhost.evil.example", "https://localhost:1", "file://localhost"):
        api.refused(403, "forbidden", "page", body={}, headers=[f"Origin: {origin}"])
        api.refused(403, "forbidden", "page", method="DELETE", path=f"{PATH}/x", headers=[f"Origin: {origin}"])
    assert api.ask(body={}, headers=["Origin: https://localhost"]).status == 201


def test_what_is_not_there(api):
    api.refused(404, "path", "nothing", path="/scep-admin/api/nothing", body={})
    api.refused(404, "path", "nothing", path="/scep-admin", method="GET")
    api.refused(405, "method", "GET, HEAD, POST", method="PUT", body={})
    api.refused(405, "method", "DELETE", method="GET", path=f"{PATH}/abc")
    assert api.ask("PUT", body={}).headers["allow"] == "GET, HEAD, POST"
    assert rawhttp.get(api.front.port, "/scep?operation=GetCACaps").status == 200, "the responder beside it"


def test_too_large(api):
    api.refused(413, "body_large", "too large", body=b'{"device": "' + b"a" * 65536 + b'"}')
    deep = b'{"values": ' + b'{"a":' * 5000 + b"1" + b"}" * 5000 + b"}"
    api.refused(400, "input", "not JSON", body=deep)


# --- whatever the web server ---

@pytest.mark.parametrize("body,said", [
    (b"", "not JSON"), (b"{", "not JSON"), (b"[]", "JSON object"), ({"profil": "x"}, "did you mean 'profile'?"),
    ({"uses": 30001}, "uses: "), ({"expires_in": 0}, "expires_in: "), ({"sans": ["dev.example"]}, "sans: "),
    ({"values": {"id": "x"}}, "values: "), ({"profile": "defualt"}, "did you mean 'default'?"),
])
def test_bad_orders(one, body, said):
    before = len(one.get("?all=yes"))
    answer = one.ask(body=body)
    assert answer.status == 400 and said in json.loads(answer.body)["message"], answer
    assert len(one.get("?all=yes")) == before


def test_profile_that_takes_none(one):
    one.refused(409, "conflict", "takes no one-time challenges", body={"profile": "closed"})


def test_bound_user(one):
    """Makes, sees and revokes what is for its profile, and learns nothing of others."""
    mine, other = one.make(user="bound", profile="other"), one.make(profile="default")
    one.refused(403, "forbidden", "'default'", body={"profile": "default"}, user="bound")
    one.refused(403, "forbidden", "'default'", body={}, user="bound")
    one.refused(403, "forbidden", "'nowhere'", body={"profile": "nowhere"}, user="bound")
    one.refused(403, "forbidden", "name one", method="GET", user="bound")
    one.refused(403, "forbidden", "'default'", method="GET", path=PATH + "?profile=default", user="bound")
    seen = {c["id"] for c in one.get("?profile=other", user="bound")}
    assert mine["id"] in seen and other["id"] not in seen
    one.refused(404, "not_found", other["id"], method="DELETE", path=f"{PATH}/{other['id']}", user="bound")
    one.refused(404, "not_found", "nonsense", method="DELETE", path=f"{PATH}/nonsense", user="bound")
    assert one.ask("DELETE", f"{PATH}/{mine['id']}", user="bound").status == 200
    assert other["id"] in {c["id"] for c in one.get()}


def test_list_is_limited(one):
    for _ in range(3):
        one.make()
    answer = json.loads(one.ask("GET", PATH + "?limit=2").body)
    assert len(answer["challenges"]) == 2 and answer["more"] is True
    answer = json.loads(one.ask("GET", PATH + "?limit=10000").body)
    assert len(answer["challenges"]) > 2 and answer["more"] is False
    for query, said in (("?limit=0", "limit"), ("?limit=10001", "limit"), ("?limit=x", "limit"), ("?all=maybe", "all"), ("?profil=x", "'profile'")):
        one.refused(400, "input", said, method="GET", path=PATH + query)


def client_for(one, client_of, path="/scep", profile="default"):
    return client_of(one.site, one.front, path, profile)


def audit_of(one):
    return one.site.execute("SELECT detail FROM scep.audit WHERE kind = 'refuse' ORDER BY at DESC LIMIT 1")[0][0]


def refused(one, client, request, *said):
    client.refused(request, scepmsg.BAD_REQUEST)
    detail = audit_of(one)
    assert all(s in detail for s in ("one-time challenge", *said)), detail


def test_values_reach_the_certificate(one, client_of):
    client = client_for(one, client_of, "/scep/named", "named")

    def subject(**values):
        made = one.make(profile="named", values={"site": "Züri, main", **values})
        reply = client.send(client.request("valued", made["challenge"]))
        assert reply.status == scepmsg.SUCCESS, one.front.logs()[-2000:]
        subject = x509.load_der_x509_certificate(reply.certs[0]).subject.rfc4514_string()
        assert subject.endswith(",UID=" + made["id"])
        return subject.rpartition(",UID=")[0]
    assert subject(owner="Alice") == r"CN=valued,OU=Züri\, main,O=Alice"
    assert subject() == r"CN=valued,OU=Züri\, main,O=nobody"
    client.refused(client.request("valued", one.make(profile="named")["challenge"]), scepmsg.BAD_REQUEST)
    assert "challenge.site" in audit_of(one)


def test_wrong_names(one, client_of):
    made = one.make(sans=["dns:a.example", "dns:b.example"])
    client = client_for(one, client_of)
    for names in (["evil.example"], ["a.example", "evil.example"], ["a.example.evil"], ["*.example"]):
        refused(one, client, client.request(f"d{len(names)}", made["challenge"], dns=names), made["id"], "names")
    client.enrol(client.request("named", made["challenge"], dns=["B.example"]))


def test_wrong_profile_subject_and_device(one, client_of):
    client, other = client_for(one, client_of), client_for(one, client_of, "/scep/other", "other")
    refused(one, client, client.request("p", one.make(profile="other")["challenge"]), "profile 'other'")
    refused(one, client, client.request("s", one.make(subject="CN=somebody else")["challenge"]), "subject")
    refused(one, client, client.request("v", one.make(device="somebody else")["challenge"]), "device")
    other.enrol(other.request("p", one.make(user="bound", profile="other")["challenge"]))


def test_used_up(one, client_of):
    client, made = client_for(one, client_of), one.make(uses=2)
    for i in range(2):
        client.enrol(client.request(f"u{i}", made["challenge"]))
    refused(one, client, client.request("u2", made["challenge"]), made["id"], "used up")


def test_expired(one, client_of):
    client, made = client_for(one, client_of), one.make(expires_in=3600)
    one.site.execute("UPDATE scep.challenge SET expires_at = now() - interval '1 second' WHERE id = %s", made["id"])
    refused(one, client, client.request("e", made["challenge"]), made["id"], "expired")


def test_revoked(one, client_of):
    client, made = client_for(one, client_of), one.make()
    assert one.ask("DELETE", f"{PATH}/{made['id']}").status == 200
    refused(one, client, client.request("r", made["challenge"]), made["id"], "revoked")


def test_uses_are_counted_in_a_race(one, client_of):
    """N uses and 2 N devices at once: exactly N certificates."""
    n = 4
    client, made = client_for(one, client_of), one.make(uses=n)
    devices = [scepmsg.Device.shared(f"racer{i}") for i in range(2 * n)]
    requests = [client.request(challenge=made["challenge"], device=d) for d in devices]
    before, replies, start = len(one.site.certs()), [], threading.Barrier(2 * n)

    def race(request):
        start.wait()
        replies.append(client.send(request).status)
    threads = [threading.Thread(target=race, args=(r,)) for r in requests]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(replies) == [scepmsg.SUCCESS] * n + [scepmsg.FAILURE] * n
    assert len(one.site.certs()) == before + n
    assert next(c for c in one.get("?all=yes") if c["id"] == made["id"])["uses_left"] == 0


def test_database_away(make_site, postgres):
    """503 with Retry-After, nothing of our side's trouble in the answer, and it comes back by itself."""
    site = make_site()
    api = Api(site, "lighttpd-socket")
    postgres.execute("postgres", f"ALTER DATABASE {site.database} ALLOW_CONNECTIONS false")
    postgres.execute("postgres", "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", site.database)
    answer = api.ask(body={})
    assert answer.status == 503 and int(answer.headers["retry-after"]) > 0
    assert json.loads(answer.body) == {"error": "db", "message": "try again later"}
    postgres.execute("postgres", f"ALTER DATABASE {site.database} ALLOW_CONNECTIONS true")
    assert api.ask(body={}).status == 201
    site.stop()
