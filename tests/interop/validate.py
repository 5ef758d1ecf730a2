#!/usr/bin/env python3
"""Asks a running Baton for everything it gives to other systems, and lets other people's programs judge it.

  python3 tests/interop/validate.py --base http://127.0.0.1:8080 --login LOGIN --password PASSWORD

What judges: fhir.resources (R5, and R4B for R4), npm's `fhir` (R4, with value sets), fhirpy and fhirclient as readers, hl7apy.
They are installed into a folder of their own (--tools, by default build/interop). Exit status 0: nothing was found wrong.
"""
import argparse, collections, json, os, pathlib, subprocess, sys, urllib.error, urllib.parse, urllib.request, venv

PYTHON = ["fhir.resources==8.3.0", "fhirpy==2.3.1", "fhirclient==4.4.0", "hl7apy==1.3.5"]
NODE = ["fhir@4.12.0"]
KINDS = ["Patient", "Specimen", "ServiceRequest", "Observation", "DiagnosticReport", "Provenance", "Task"]
JUDGE = """
const { Fhir } = require("fhir"); const fhir = new Fhir(); let wrong = 0, judged = 0;
for (const line of require("fs").readFileSync(0, "utf8").split("\\n").filter(Boolean)) {
  const resource = JSON.parse(line), result = fhir.validate(resource, { errorOnUnexpected: true }); judged++;
  const errors = result.messages.filter((m) => m.severity === "error" || m.severity === "fatal");
  if (errors.length) { wrong++; if (wrong < 20) console.error(resource.resourceType, resource.id, JSON.stringify(errors.slice(0, 3))); }
}
console.log(JSON.stringify({ judged, wrong })); process.exit(wrong ? 1 : 0);
"""


def tools(folder):
    """Makes the tools' own folder, and goes on in its Python."""
    python = folder / "venv" / "bin" / "python"
    if not python.exists():
        venv.create(folder / "venv", with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "-q", *PYTHON], check=True)
    if not (folder / "node_modules" / "fhir").exists():
        (folder / "package.json").write_text("{}")
        subprocess.run(["npm", "install", "--silent", "--prefix", str(folder), *NODE], check=True, stdout=subprocess.DEVNULL)
    if pathlib.Path(sys.prefix) != folder / "venv":
        os.execv(python, [str(python), *sys.argv])


class Server:
    def __init__(self, base, login, password):
        self.base = base.rstrip("/")
        self.token = None
        body = json.dumps({"login": login, "password": password}).encode()
        self.token = json.loads(self.ask("/v1/sign-in", body)[1])["token"]

    def ask(self, path, body=None, headers=None):
        url = path if path.startswith("http") else self.base + path
        request = urllib.request.Request(url, data=body, headers={"Accept": "application/json", "Content-Type": "application/json", **(headers or {})})
        if self.token:
            request.add_header("Authorization", "Bearer " + self.token)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, answer.read(), answer.headers
        except urllib.error.HTTPError as error:
            return error.code, error.read(), error.headers

    def all(self, release, kind, pages):
        url, bundles, resources = f"/fhir/{release}/{kind}?_count=100", [], []
        while url and len(bundles) < pages:
            status, text, _ = self.ask(url)
            assert status == 200, (url, status, text[:300])
            bundle = json.loads(text)
            bundles.append(bundle)
            entries = bundle.get("entry", [])
            assert len(entries) <= 100, "a page is longer than asked"
            resources += [entry["resource"] for entry in entries]
            url = next((link["url"] for link in bundle["link"] if link["relation"] == "next"), None)
        return bundles, resources


def judge_python(release, resources):
    import importlib
    wrong = collections.Counter()
    for resource in resources:
        kind = resource["resourceType"]
        package = "fhir.resources." + ("" if release == "R5" else "R4B.") + kind.lower()
        try:
            getattr(importlib.import_module(package), kind).model_validate(resource)
        except Exception as error:
            wrong[kind] += 1
            if wrong[kind] <= 2:
                print(f"  {release} {kind} {resource.get('id')}: {str(error)[:400]}")
    return sum(wrong.values())


def judge_node(folder, resources):
    text = "\n".join(json.dumps(resource) for resource in resources)
    done = subprocess.run(["node", "-e", JUDGE], input=text, text=True, capture_output=True, env={**os.environ, "NODE_PATH": str(folder / "node_modules")})
    sys.stdout.write(done.stderr)
    return json.loads(done.stdout)["wrong"]


def references(resources):
    """What points to a resource that is not there."""
    known = {f"{r['resourceType']}/{r['id']}" for r in resources}
    broken = []

    def look(value):
        if isinstance(value, dict):
            target = value.get("reference")
            if isinstance(target, str) and target.split("/_history")[0] not in known:
                broken.append(target)
            for inner in value.values():
                look(inner)
        elif isinstance(value, list):
            for inner in value:
                look(inner)

    for resource in resources:
        look(resource)
    return broken


def laws(resources):
    """What must never be told."""
    broken = []
    pools = {r["id"] for r in resources if r["resourceType"] == "Specimen" and r.get("parent")}
    pooled = {p["reference"].split("/")[1] for r in resources if r["resourceType"] == "Specimen" for p in r.get("parent", [])}
    codes = collections.defaultdict(set)
    for r in resources:
        if r["resourceType"] == "DiagnosticReport" and r["id"] in pooled:
            if any(c["code"] == "260373001" for code in r.get("conclusionCode", []) for c in code.get("coding", [])):
                broken.append(f"a member of a pool is told positive: {r['id']}")
        if r["resourceType"] == "Observation":
            unit = r["id"].split("-")[0]
            coding = r["code"]["coding"][0]
            if coding["system"] == "http://loinc.org":
                codes[unit].add((coding["code"], r["id"]))
            elif coding["code"] in ("IC", "RP", "IC Cq", "RP Cq") and coding["system"] == "http://loinc.org":
                broken.append(f"an internal control has a LOINC: {r['id']}")
            if unit in pooled and "-" in r["id"]:
                broken.append(f"a pool's curves are told of one person: {r['id']}")
    for unit, given in codes.items():
        if len({code for code, _ in given}) != len(given):
            broken.append(f"two observations of {unit} share a LOINC: {given}")
    return broken, len(pools), len(pooled)


def clients(server):
    """Two readers that others wrote take a person's report."""
    _, reports = server.all("R4", "DiagnosticReport", 3)
    report = next(r for r in reports if r.get("subject") and r["status"] in ("final", "amended"))
    person = report["subject"]["reference"].split("/")[1]
    from fhirpy import SyncFHIRClient
    client = SyncFHIRClient(server.base + "/fhir/R4", authorization="Bearer " + server.token)
    found = client.resources("DiagnosticReport").search(patient=person).fetch_all()
    patient = client.reference("Patient", person).to_resource()
    assert any(one["id"] == report["id"] for one in found), "fhirpy does not find the report"
    from fhirclient import client as smart
    from fhirclient.models import diagnosticreport
    reader = smart.FHIRClient(settings={"app_id": "baton-check", "api_base": server.base + "/fhir/R4"})
    reader.server.session.headers["Authorization"] = "Bearer " + server.token
    taken = diagnosticreport.DiagnosticReport.read(report["id"], reader.server)
    many = diagnosticreport.DiagnosticReport.where({"patient": person}).perform_resources(reader.server)
    assert taken.status == report["status"] and many, "fhirclient reads another report"
    return f"fhirpy: {len(found)} reports of {patient['id']}; fhirclient: {taken.status}, {taken.conclusion}"


def messages(server, units):
    """hl7apy takes apart and validates every message."""
    from hl7apy.parser import parse_message
    from hl7apy.consts import VALIDATION_LEVEL
    judged, wrong, by_kind = 0, 0, collections.Counter()
    for unit in units:
        for name in ("result", "order"):
            status, text, _ = server.ask(f"/v1/exchange/units/{unit}/{name}.hl7")
            if status == 404 and name == "result":
                continue
            assert status == 200, (unit, name, status, text[:300])
            judged += 1
            try:
                message = parse_message(text.decode(), validation_level=VALIDATION_LEVEL.TOLERANT, find_groups=True)
                by_kind[message.msh.msh_9.to_er7()] += 1
                message.validate()
            except Exception as error:
                wrong += 1
                if wrong <= 5:
                    print(f"  {name} of {unit}: {type(error).__name__} {str(error)[:300]}")
    return judged, wrong, dict(by_kind)


def acknowledgements(server, address, units):
    """Sends orders back to us by MLLP, each twice; what is answered must be the same and be taken apart by hl7apy."""
    import socket
    from hl7apy.parser import parse_message
    host, port = address.rsplit(":", 1)
    with socket.create_connection((host, int(port)), timeout=60) as peer:
        def tell(text):
            peer.sendall(b"\x0b" + text + b"\x1c\r")
            answer = b""
            while not answer.endswith(b"\x1c\r"):
                answer += peer.recv(65536)
            return answer[1:-2].decode()

        told = 0
        for unit in units:
            _, order, _ = server.ask(f"/v1/exchange/units/{unit}/order.hl7")
            first, again = parse_message(tell(order)), parse_message(tell(order))
            first.validate()
            assert first.msa.msa_1.value == "AA" and first.msh.msh_10.value == again.msh.msh_10.value, (first.to_er7(), again.to_er7())
            told += 1
        wrong = parse_message(tell(b"MSH|^~\\&|A|B|||20260101||ADT^A01^ADT_A01|1|P|2.5.1\r"))
        assert wrong.msa.msa_1.value == "AR" and wrong.err.err_3.err_3_1.value == "200", wrong.to_er7()
    return told


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base", default="http://127.0.0.1:8080")
    parser.add_argument("--login", required=True)
    parser.add_argument("--password", required=True)
    parser.add_argument("--mllp", help="where it takes messages, if it does: HOST:PORT")
    parser.add_argument("--pages", type=int, default=1000, help="of each kind, at most")
    parser.add_argument("--tools", type=pathlib.Path, default=pathlib.Path("build/interop"))
    asked = parser.parse_args()
    folder = asked.tools.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    tools(folder)
    server = Server(asked.base, asked.login, asked.password)
    wrong = 0
    units = []
    for release in ("R4", "R5"):
        capability = json.loads(server.ask(f"/fhir/{release}/metadata")[1])
        bundles, resources, counts = [], [], {}
        for kind in KINDS:
            pages, found = server.all(release, kind, asked.pages)
            bundles += pages
            resources += found
            counts[kind] = len(found)
            assert len({r["id"] for r in found}) == len(found), f"{kind}: the same one twice"
        print(f"{release}: {counts}, {len(bundles)} bundles")
        everything = [capability, *bundles[::10], *resources]
        found = judge_python(release, everything)
        print(f"{release}: fhir.resources judged {len(everything)}, wrong {found}")
        wrong += found
        if release == "R4":
            found = judge_node(folder, everything)
            print(f"{release}: npm fhir judged {len(everything)}, wrong {found}")
            wrong += found
        broken = references(resources)
        print(f"{release}: references that lead nowhere: {len(broken)} {broken[:3]}")
        against, pools, pooled = laws(resources)
        print(f"{release}: {pools} pooled tubes, {pooled} swabs in them; laws broken: {len(against)} {against[:3]}")
        wrong += len(broken) + len(against)
        units = [r["id"] for r in resources if r["resourceType"] == "Specimen"]
    print(clients(server))
    judged, found, kinds = messages(server, units)
    print(f"HL7: hl7apy judged {judged}, wrong {found}: {kinds}")
    if asked.mllp:
        print(f"MLLP: {acknowledgements(server, asked.mllp, units[:50])} orders taken, each sent twice and answered alike")
    return 1 if wrong + found else 0


if __name__ == "__main__":
    sys.exit(main())
