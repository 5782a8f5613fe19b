#!/usr/bin/env bash
# go-build.sh DIR OUTPUT PACKAGE [LDFLAGS]
#
# go build that tells how far it is: silent while it is quick, a line every ten
# seconds when it is cold (the embedded Temporal server takes about eleven
# minutes on two cores). No -trimpath and no CGO_ENABLED here: other flags than
# those of a plain `go test` would compile everything a second time. No VCS stamp:
# it would link the worker's 150 MB again after every commit, and it fails in a
# checkout that belongs to another user.
set -euo pipefail

if [[ $# -lt 3 ]]; then
  echo "usage: ${0##*/} DIR OUTPUT PACKAGE [LDFLAGS]" >&2
  exit 2
fi
dir=$1 output=$2 package=$3 ldflags=${4:-}
name=${output##*/}

log=$(mktemp)
build=
stop() {
  [[ -z $build ]] || kill "$build" 2>/dev/null || true
  rm -f "$log"
}
trap stop EXIT
# bash starts background jobs with SIGINT ignored: without these the compiler
# would go on after Ctrl-C.
trap 'exit 130' INT
trap 'exit 143' TERM

# go build -v prints one import path per line when it compiles it; everything
# else that it prints contains a space.
compiled() { grep -c '^[^ ]*$' "$log" || true; }
downloaded() { grep -c '^go: downloading ' "$log" || true; }
messages() { grep ' ' "$log" | grep -v '^go: downloading ' || true; }

mkdir -p "$(dirname "$output")"
go -C "$dir" build -v -buildvcs=false -ldflags "$ldflags" -o "$output" "$package" >"$log" 2>&1 &
build=$!

total=
next=10
SECONDS=0
while kill -0 "$build" 2>/dev/null; do
  sleep 0.2
  if ((SECONDS < next)); then
    continue
  fi
  next=$((SECONDS + 10))
  done_now=$(compiled)
  if ((done_now == 0 && $(downloaded) > 0)); then
    echo "$name: ${SECONDS}s, fetching modules ($(downloaded) so far)"
    continue
  fi
  if [[ -z $total ]]; then
    stale=$(go -C "$dir" list -deps -f '{{if .Stale}}{{.ImportPath}}{{end}}' "$package" 2>/dev/null | grep -c . || true)
    total=$((done_now + stale))
  fi
  if ((done_now >= total)); then
    echo "$name: ${SECONDS}s, linking"
  else
    echo "$name: ${SECONDS}s, compiled $done_now of $total packages"
  fi
done

if ! wait "$build"; then
  build=
  messages >&2
  echo "$name: building $package in $dir failed after ${SECONDS}s" >&2
  exit 1
fi
build=
messages >&2
if ((SECONDS >= 5)); then
  echo "$name: built in ${SECONDS}s"
fi
