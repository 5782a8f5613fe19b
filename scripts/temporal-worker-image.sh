#!/usr/bin/env bash
# temporal-worker-image.sh [TAG]
#
# Builds the image of deploy/worker/Dockerfile (default tag orch-worker:dev) for the engine's
# architecture. The binary is compiled like bin/orch-worker, so that little is compiled again, and
# linked statically, because the image holds nothing else.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
tag=${1:-orch-worker:dev}
"$root/scripts/need.sh" docker go

authorities=
for file in /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt /etc/ssl/cert.pem; do
  [[ ! -r $file ]] || authorities=${authorities:-$file}
done
if [[ -z $authorities ]]; then
  echo "${0##*/}: no certificate authorities found: install the package ca-certificates" >&2
  exit 1
fi

GOOS=linux GOARCH=$(docker version --format '{{.Server.Arch}}')
static=
if [[ $(go env CGO_ENABLED GOOS GOARCH | xargs) == "1 $GOOS $GOARCH" ]] &&
  echo 'int main(void) { return 0; }' | cc -static -x c -o /dev/null - 2>/dev/null; then
  static="-linkmode external -extldflags -static"
else
  export CGO_ENABLED=0
fi
export GOOS GOARCH

context=$(mktemp -d)
trap 'rm -rf "$context" "$context.log"' EXIT
"$root/scripts/go-build.sh" "$root/worker/cmd/orch-worker" "$context/orch-worker" . \
  "-s -w -X main.version=${VERSION:-dev} $static" 2> >(grep -v 'statically linked applications\|in function\|^#' >&2)
cp "$authorities" "$context/ca-certificates.crt"
chmod 0644 "$context/ca-certificates.crt"
mkdir "$context/home"
mkdir -m 1777 "$context/tmp"
chmod 1777 "$context/tmp"
printf 'root:x:0:0:root:/root:/sbin/nologin\norch:x:10001:10001::/home/orch:/sbin/nologin\n' >"$context/passwd"
printf 'root:x:0:\norch:x:10001:\n' >"$context/group"
# The classic builder is enough, and an engine may lack buildx.
if ! DOCKER_BUILDKIT=0 docker build --quiet --tag "$tag" --file "$root/deploy/worker/Dockerfile" "$context" >"$context.log" 2>&1; then
  cat "$context.log" >&2
  exit 1
fi
echo "${0##*/}: $tag is built"
