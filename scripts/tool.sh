#!/usr/bin/env bash
# tool.sh NAME [ARGUMENT]...
# tool.sh --build NAME...
#
# Runs a tool pinned in tools/go.mod, or only builds some. The binary is built once per content of
# tools/go.sum and Go version into .cache/tools: `go tool` alone would link
# again after every change of the module, and shows no progress when cold.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
usage() {
  echo "usage: ${0##*/} NAME [ARGUMENT]... | --build NAME..." >&2
  exit 2
}

key=$({
  cat "$root/tools/go.mod" "$root/tools/go.sum"
  go env GOVERSION GOOS GOARCH
} | git hash-object --stdin)
cache=$root/.cache/tools/${key:0:12}

build() {
  local name=$1 package
  if [[ -x $cache/$name ]]; then
    return
  fi
  package=$(go -C "$root/tools" list -f '{{.ImportPath}}' tool | grep "/$name\$" || true)
  if [[ -z $package ]]; then
    echo "${0##*/}: tools/go.mod has no tool '$name'; add it with: go -C tools get -tool <package>" >&2
    exit 1
  fi
  "$root/scripts/go-build.sh" "$root/tools" "$cache/$name" "$package" >&2
}

if [[ $# -lt 1 ]]; then
  usage
fi
if [[ $1 == --build ]]; then
  shift
  for name in "$@"; do
    build "$name"
  done
  exit 0
fi
name=$1
shift
build "$name"
exec "$cache/$name" "$@"
