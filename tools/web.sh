#!/usr/bin/env bash
# web.sh FOLDER: builds the page into web/dist and lays Netron into FOLDER/netron. Takes node 20.19 or later from the
# path, else PyPI's copy of it. Does nothing where all is built already.
set -euo pipefail
folder=$1
root=$(cd "$(dirname "$0")/.." && pwd)
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)
stamp=$folder/.ready
if [ -e "$stamp" ] && [ -e "$root/web/dist/index.html" ] &&
   [ -z "$(find "$root/web" "$root/tools/web.sh" -path "$root/web/node_modules" -prune -o -path "$root/web/dist" -prune -o -type f -newer "$stamp" -print -quit)" ]; then
  exit 0
fi

python3 -m venv "$folder/venv"
pip() { "$folder/venv/bin/python" -m pip install -q --disable-pip-version-check --no-compile "$@"; }
new_enough() { node -e 'const [a, b] = process.versions.node.split("."); process.exit(a > 20 || (a == 20 && b >= 19) ? 0 : 1)'; }
if ! command -v npm > /dev/null || ! new_enough 2> /dev/null; then
  pip -r "$root/web/node.txt"
  export PATH="$folder/venv/bin:$PATH"
fi

pip --target "$folder/netron.new" --no-deps -r "$root/web/netron.txt"
rm -rf "$folder/netron"
mv "$folder/netron.new/netron" "$folder/netron"
rm -rf "$folder/netron.new"

cd "$root/web"
npm ci --no-audit --no-fund --loglevel=error
npm run --silent build
touch "$stamp"
