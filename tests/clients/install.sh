#!/bin/sh
# Installs the clients for tests/it/clients.rs and tests/it/meta_clients.rs. Running it again is safe.
# It installs no system packages: python3 with venv, node 20 or newer and npm must be present.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
venv="$root/target/clients/venv"

wanted="$here/python/requirements.txt"
if ! cmp -s "$wanted" "$venv/installed.txt"; then
    python3 -m venv "$venv"
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check -r "$wanted"
    cp "$wanted" "$venv/installed.txt"
fi

cd "$here/node"
if ! cmp -s package-lock.json node_modules/installed.json; then
    npm ci --no-audit --no-fund
    cp package-lock.json node_modules/installed.json
fi

# Twilio's OpenAPI specification, which this package carries. Two of its files are used and nothing else, so it is not
# among the dependencies of node/package.json, which would install a hundred packages more.
package="@twilio-alpha/mcp@0.7.0"
wanted="sha512-YsUde1pMXwqHm8Cvq9JdtsyvclVCC/f/V+FmxTNN04u5Qt5aapkbQgcfqBYQ0xcmvATBNswgPDo3MPVaCtZK8Q=="
spec="$root/target/clients/twilio-oai"
if [ "$(cat "$spec/installed.txt" 2>/dev/null)" != "$package $wanted" ]; then
    rm -rf "$spec"
    mkdir -p "$spec"
    cd "$spec"
    file=$(npm pack --silent "$package")
    found=$(node -e 'const {createHash} = require("node:crypto"); const {readFileSync} = require("node:fs");
        console.log("sha512-" + createHash("sha512").update(readFileSync(process.argv[1])).digest("base64"))' "$file")
    if [ "$found" != "$wanted" ]; then
        echo "$package is not the package that was looked at: $found" >&2
        exit 1
    fi
    for name in twilio_content_v1.json twilio_messaging_v2.json; do
        tar -xzf "$file" --strip-components=4 "package/twilio-oai/spec/json/$name"
    done
    rm "$file"
    echo "$package $wanted" > installed.txt
fi
