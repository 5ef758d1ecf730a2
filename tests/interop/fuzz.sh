#!/bin/sh
# Property tests of the whole API from its own OpenAPI: no 5xx, no hang. Against a running server that may be spoilt, with a
# user who has every role. Numbers of things that exist are taken from the server, so that requests get past "no such thing".
#   tests/interop/fuzz.sh http://127.0.0.1:8080 LOGIN PASSWORD [FOLDER OF THE TOOL]
set -eu
base=$1 login=$2 password=$3 folder=${4:-build/fuzz}
if [ ! -x "$folder/venv/bin/schemathesis" ]; then
  mkdir -p "$folder"
  python3 -m venv "$folder/venv"
  "$folder/venv/bin/pip" install -q schemathesis==4.32.5
fi
token=$(curl -sf "$base/v1/sign-in" -H 'content-type: application/json' -d "{\"login\":\"$login\",\"password\":\"$password\"}" | sed 's/.*"token":"\([^"]*\)".*/\1/')
python3 - "$base" "$token" > "$folder/numbers.toml" <<'P'
import json, re, sys, urllib.request

base, token = sys.argv[1:]

def get(path):
    request = urllib.request.Request(base + path, headers={"Authorization": "Bearer " + token, "Accept": "text/html"})
    return urllib.request.urlopen(request, timeout=60).read().decode()

def resources(kind):
    return [entry["resource"] for entry in json.loads(get(f"/fhir/R4/{kind}?_count=100")).get("entry", [])]

specimens = resources("Specimen")
numbers = {
    "person": [one["id"] for one in resources("Patient")[:3]],
    "tube": [one["id"] for one in specimens if one.get("parent")][:3],
    "unit": [one["id"] for one in specimens[:4]],
    "campaign": [one["campaign"] for one in json.loads(get("/v1/screening/campaigns"))["campaigns"][:2]],
    "place": [one["id"] for one in json.loads(get("/v1/registry/places"))[:2] + json.loads(get("/v1/registry/places?kind=laboratory"))[:2]],
    "plate": re.findall(r"/laboratory/plates/(\d+)", get("/laboratory"))[:3],
    "run": re.findall(r"/laboratory/runs/(\d+)", get("/laboratory"))[:3],
    "box": re.findall(r"/boxes/(\d+)", get("/boxes"))[:3],
}
for tube in numbers["tube"]:
    page = get(f"/laboratory/tubes/{tube}")
    numbers["plate"] += re.findall(r"/laboratory/plates/(\d+)", page)[:1]
    numbers["run"] += re.findall(r"/laboratory/runs/(\d+)", page)[:1]
print("[parameters]")
for name, found in numbers.items():
    if found:
        print(f'"path.{name}" = {json.dumps([str(one) for one in found])}')
report = next(one for one in resources("DiagnosticReport") if one.get("meta"))
for path in ("/fhir/{release}/{kind}/{id}", "/fhir/{release}/{kind}/{id}/_history", "/fhir/{release}/{kind}/{id}/_history/{version}"):
    given = {"path.kind": "DiagnosticReport", "path.id": report["id"], "path.version": report["meta"]["versionId"]}
    parts = ", ".join(f"{json.dumps(name)} = {json.dumps(value)}" for name, value in given.items() if "{" + name[5:] + "}" in path)
    print(f"\n[[operations]]\ninclude-path = {json.dumps(path)}\nparameters = {{ {parts} }}")
print('\n[[operations]]\ninclude-path-regex = "^/v1/laboratory/lineage/.origin./"\nparameters = { "path.origin" = "tube", "path.id" = ' + json.dumps(numbers["tube"][0]) + " }")
P
# Signing out would end the session the test runs in; changed users or devices could lock it out.
exec "$folder/venv/bin/schemathesis" --config-file "$folder/numbers.toml" run "$base/v1/openapi.json" --header "Authorization: Bearer $token" \
  --checks not_a_server_error --request-timeout 20 --max-examples "${EXAMPLES:-20}" --workers 2 --continue-on-failure --generation-database none \
  --exclude-path /sign-out --exclude-path /users/change --exclude-path /devices/revoke --phases examples,coverage,fuzzing
