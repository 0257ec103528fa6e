#!/bin/sh
# Installs what the browser tests of the console need (tests/it/browser.rs). Running it again is safe. Chromium is a
# package of the system: where it is missing it is installed if this is allowed, and otherwise this says so.
set -eu
cd "$(dirname "$0")"

if ! command -v chromium >/dev/null 2>&1; then
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
        apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium
    fi
    command -v chromium >/dev/null 2>&1 || {
        echo "Chromium is missing and cannot be installed here: the browser tests cannot run." >&2
        exit 1
    }
fi
if ! cmp -s package-lock.json node_modules/installed.json; then
    npm ci --no-audit --no-fund
    cp package-lock.json node_modules/installed.json
fi
