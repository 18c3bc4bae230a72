#!/usr/bin/env bash
# cmake/superbuild/fetch.sh DIR: the Debian source packages of CMakeLists.txt's table into DIR, checked.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1" && cd "$1"
missing() { sed -nE 's/^ *library\(([^ ]+) ([^ ]+) ([0-9a-f]{64}).*/\1 \2 \3/p' "$here/CMakeLists.txt" | while read -r name version sum; do
  echo "$sum  ${name}_${version#*:}.dsc" | sha256sum --status --check 2>/dev/null || echo "$name=$version"; done; }
[ -n "$(missing)" ] || exit 0
# An index of its own: the system's list of sources stays as it is.
mkdir -p apt/parts apt/lists/partial
printf 'deb-src http://deb.debian.org/debian bookworm main\ndeb-src http://deb.debian.org/debian-security bookworm-security main\n' \
  > apt/parts/sources.list
options=(-o Dir::Etc::sourcelist=/dev/null -o "Dir::Etc::sourceparts=$PWD/apt/parts" -o "Dir::State::lists=$PWD/apt/lists"
         -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= -o APT::Sandbox::User=root)
apt-get "${options[@]}" update -qq
# shellcheck disable=SC2046
apt-get "${options[@]}" source -qq --download-only --only-source $(missing) || true
left=$(missing)
[ -z "$left" ] || { echo "Debian has these no longer; put the newer versions into cmake/superbuild/CMakeLists.txt: $left" >&2; exit 1; }
