#!/usr/bin/env bash
# Installs the Debian packages that sigmapi is built from, those that are missing. With --tests also what the tests use.
set -euo pipefail
packages=(gcc cmake ninja-build pkg-config libcjson-dev libgraphviz-dev libzstd-dev libsnappy-dev liblz4-dev zlib1g-dev libbrotli-dev)
if [ "${1:-}" = "--tests" ]; then
  packages+=(libcmocka-dev python3 python3-jsonschema libxml2-utils)
fi
missing=()
for p in "${packages[@]}"; do
  if ! dpkg-query -W -f='${Status}' "$p" 2>/dev/null | grep -q 'ok installed'; then
    missing+=("$p")
  fi
done
if [ ${#missing[@]} -eq 0 ]; then
  exit 0
fi
sudo=""
if [ "$(id -u)" -ne 0 ]; then
  sudo="sudo"
fi
echo "installing: ${missing[*]}"
$sudo apt-get update -qq
DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
