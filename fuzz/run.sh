#!/usr/bin/env bash
# fuzz/run.sh TOOL BUILD_DIR SECONDS [FUZZER...]: each fuzzer for so long (all of them where none is named), from the seeds
# that seeds.py makes. What it finds stays in BUILD_DIR/corpus. Exit code 1 at the first finding, whose input is beside its log.
set -euo pipefail
tool=$1 build=$2 seconds=$3 here=$(cd "$(dirname "$0")" && pwd)
shift 3
# HDF5 1.10 doesn't give back all of its own blocks when it refuses a damaged file.
export LSAN_OPTIONS=suppressions=$here/leaks_of_libraries.txt:print_suppressions=0${LSAN_OPTIONS:+:$LSAN_OPTIONS}
declare -A seeds_of=([check]=ir [reference]=ir)
"${PYTHON:-python3}" "$here/seeds.py" "$tool" "$build/seeds"
fuzzers=("$@")
[ ${#fuzzers[@]} -gt 0 ] || for source in "$here"/*_fuzzer.cpp; do fuzzers+=("$(basename "$source" _fuzzer.cpp)"); done
for fuzzer in "${fuzzers[@]}"; do
  echo "fuzzing: $fuzzer, $seconds s"
  seeds=${seeds_of[$fuzzer]:-$fuzzer}
  dictionary=()
  [ ! -f "$build/seeds/$seeds.dict" ] || dictionary=(-dict="$build/seeds/$seeds.dict")
  mkdir -p "$build/corpus/$fuzzer"
  "$build/${fuzzer}_fuzzer" -max_total_time="$seconds" -max_len=65536 -rss_limit_mb=2048 -timeout=30 -print_final_stats=1 "${dictionary[@]}" -artifact_prefix="$build/$fuzzer-" \
    "$build/corpus/$fuzzer" "$build/seeds/$seeds" > "$build/$fuzzer.log" 2>&1 || { tail -40 "$build/$fuzzer.log"; exit 1; }
  grep -E 'stat::(number_of_executed_units|peak_rss_mb)' "$build/$fuzzer.log"
done
echo "no finding"
