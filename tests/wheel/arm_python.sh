#!/usr/bin/env bash
# tests/wheel/arm_python.sh DIR: the files of CPython 3.11 from Debian's arm64 packages into DIR/root, for qemu-aarch64.
set -euo pipefail
mkdir -p "$1" && cd "$1"
[ ! -e root/.ready ] || exit 0
# A system of packages of its own: that of this machine stays as it is.
rm -rf apt root
mkdir -p apt/parts apt/lists/partial apt/cache/archives/partial root
echo 'deb http://deb.debian.org/debian bookworm main' > apt/parts/arm64.list
: > apt/status
options=(-o APT::Architecture=arm64 -o APT::Architectures=arm64 -o Dir::Etc::sourcelist=/dev/null -o APT::Sandbox::User=root
         -o "Dir::Etc::sourceparts=$PWD/apt/parts" -o "Dir::State::lists=$PWD/apt/lists" -o "Dir::State::status=$PWD/apt/status"
         -o "Dir::Cache=$PWD/apt/cache")
apt-get "${options[@]}" update -qq
(cd apt && apt-get "${options[@]}" download -qq python3.11-minimal libpython3.11-minimal libpython3.11-stdlib libc6 libgcc-s1 \
  zlib1g libexpat1 libffi8 libssl3 libbz2-1.0 liblzma5 libuuid1)
for package in apt/*.deb; do dpkg-deb -x "$package" root; done
rm -r apt
touch root/.ready
