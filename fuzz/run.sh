#!/usr/bin/env bash
# fuzz/run.sh TOOL BUILD_DIR SECONDS: each fuzzer for so long, from the seeds that seeds.py makes.
set -euo pipefail
tool=$1 build=$2 seconds=$3 here=$(cd "$(dirname "$0")" && pwd)
"${PYTHON:-python3}" "$here/seeds.py" "$tool" "$build/seeds"
for fuzzer in ir onnx blob; do
  echo "fuzzing the $fuzzer reader for $seconds s"
  mkdir -p "$build/corpus/$fuzzer"
  "$build/${fuzzer}_fuzzer" -max_total_time="$seconds" -max_len=65536 -rss_limit_mb=2048 -timeout=10 -print_final_stats=1 -artifact_prefix="$build/" \
    "$build/corpus/$fuzzer" "$build/seeds/$fuzzer" > "$build/$fuzzer.log" 2>&1 || { tail -40 "$build/$fuzzer.log"; exit 1; }
  grep -E 'stat::(number_of_executed_units|peak_rss_mb)' "$build/$fuzzer.log"
done
echo "no finding"
