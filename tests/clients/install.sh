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
