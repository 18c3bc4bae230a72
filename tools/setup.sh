#!/usr/bin/env bash
# Installs what building and testing need, from Debian bookworm's packages. Does nothing where all of it is there; without
# root it says what is missing. Further packages may be named: chromium, for the tests of the page.
set -euo pipefail
packages=(g++ clang cmake ninja-build make ccache git python3-venv libpugixml-dev libcli11-dev libprotozero-dev libonnx-dev
          libgtest-dev libprotobuf-dev protobuf-compiler libleveldb-dev libflatbuffers-dev libhdf5-dev nlohmann-json3-dev
          libpng-dev libturbojpeg0-dev libzip-dev libbz2-dev libarchive-dev libhwy-dev libclang-rt-14-dev
          # of the service
          libmicrohttpd-dev libseccomp-dev libsqlite3-dev libpq-dev libcurl4-openssl-dev libssl-dev libyaml-cpp-dev pkg-config
          bubblewrap postgresql sqlite3 curl)
packages+=("$@")
# Another distribution has other names: CMake tells what it doesn't find.
command -v dpkg-query > /dev/null || exit 0
missing=()
for p in "${packages[@]}"; do dpkg-query -W -f '${Status}' "$p" 2>/dev/null | grep -q 'ok installed' || missing+=("$p"); done
[ ${#missing[@]} -eq 0 ] && exit 0
if [ "$(id -u)" != 0 ]; then
  echo "missing packages; as root: apt-get install ${missing[*]}" >&2
  exit 1
fi
echo "installing: ${missing[*]}"
apt-get update -qq
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" > /dev/null
