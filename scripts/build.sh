#!/usr/bin/env bash
# build.sh [provider|worker]...
#
# Builds bin/terraform-provider-orch and bin/orch-worker; both when none is
# named. VERSION overrides what the binaries say about themselves.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

# A version that changed with every commit would link the worker's 150 MB anew
# after every commit: only a clean checkout of a tag is something else than dev.
version() {
  local tag
  tag=$(git -C "$root" describe --tags --exact-match --dirty 2>/dev/null) || tag=dev
  case $tag in
    *-dirty) echo dev ;;
    *) echo "${tag#v}" ;;
  esac
}

"$root/scripts/need.sh" go
ldflags="-X main.version=${VERSION:-$(version)}"

if [[ $# -eq 0 ]]; then
  set -- provider worker
fi
for binary in "$@"; do
  case $binary in
    provider) "$root/scripts/go-build.sh" "$root" "$root/bin/terraform-provider-orch" . "$ldflags" ;;
    worker) "$root/scripts/go-build.sh" "$root/worker/cmd/orch-worker" "$root/bin/orch-worker" . "$ldflags" ;;
    *)
      echo "${0##*/}: unknown binary '$binary', want provider or worker" >&2
      exit 2
      ;;
  esac
done
