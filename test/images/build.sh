#!/usr/bin/env bash
# Builds the local images that orch uses where no container registry can be reached.
#
#   build.sh doubles     stand-ins for `make test`, seconds:
#                          orch.local/doubles/{collector:1,loki:1,grafana:12.4.15},
#                          orch.local/doubles/{prometheus:1,jaeger:1},
#                          orch.local/doubles/{neo4j:5.26.26,qdrant:v1.19.0}, orch.local/box:1
#   build.sh real        the real Collector and Loki from source, what the logs pipeline
#                        needs, about 15 minutes on two cores the first time:
#                          orch.local/opentelemetry-collector-contrib:0.149.0, orch.local/loki:3.7.8
#   build.sh real-full   those, and the real Prometheus and Jaeger, about 10 minutes more:
#                          orch.local/prometheus:v0.315.0, orch.local/jaeger:1.76.0
#   build.sh temporal-stack  what deploy/temporal runs: Temporal and its Web UI from source,
#                        PostgreSQL from the packages of the Debian or Ubuntu it is run on:
#                          orch.local/temporal/{server,admin-tools}:1.32.1,
#                          orch.local/temporal/ui:2.54.1, orch.local/postgres:debian
#   build.sh all         doubles and real-full
#   build.sh NAME...     any of the above and of collector, loki, prometheus, jaeger,
#                        temporal, temporal-ui, postgres
#
# An image whose inputs did not change is left alone: their hash is its label
# io.orch.test.inputs. For a real component these are go.mod, go.sum, sources, build tags, Go
# version, architecture and Dockerfile; its binary is kept in .cache/images of the repository
# under the hash of all but the last. DOCKER_HOST is respected.
set -euo pipefail

# The classic builder is enough for these Dockerfiles, and an engine may lack buildx.
export DOCKER_BUILDKIT=0
export CGO_ENABLED=0 GOOS=linux

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
cache=$root/.cache/images
label=io.orch.test.inputs
progress_every=5

say() { printf 'images: %s\n' "$*"; }

die() {
  printf 'images: %s\n' "$*" >&2
  exit 1
}

usage() { die "usage: ${0##*/} doubles|real|real-full|temporal-stack|all|collector|loki|prometheus|jaeger|temporal|temporal-ui|postgres ..."; }

elapsed() { printf '%dm%02ds' $((SECONDS / 60)) $((SECONDS % 60)); }

# A child that is still compiling must not outlive an interrupted script.
child=
stop_child() { [[ -z $child ]] || kill "$child" 2>/dev/null || true; }
trap stop_child EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# one_at_a_time STEP keeps two scripts from compiling the same thing twice. The lock of the
# step before is given back, so that nobody waits for what they did not ask for.
one_at_a_time() {
  command -v flock >/dev/null || return 0
  exec 9>"$cache/$1.lock"
  flock --nonblock 9 && return 0
  say "another ${0##*/} is at $1, waiting for it"
  flock 9
}

preflight() {
  command -v go >/dev/null || die "go is not installed: see https://go.dev/doc/install"
  command -v docker >/dev/null || die "the docker command is not installed: apt-get install docker.io"
  local arch
  arch=$(docker version --format '{{.Server.Arch}}' 2>&1) ||
    die "the Docker Engine does not answer (DOCKER_HOST=${DOCKER_HOST:-default}): ${arch##*$'\n'}"
  export GOARCH=$arch
  mkdir -p "$cache"
}

# inputs_hash FILE... prints one hash over names and contents, the toolchain and the target.
inputs_hash() {
  {
    go env GOVERSION
    echo "$GOOS/$GOARCH"
    cd "$root"
    printf '%s\n' "${@#"$root"/}" | LC_ALL=C sort | tr '\n' '\0' | xargs -0 sha256sum
  } | sha256sum | cut -c1-16
}

# with_progress WHAT UNIT OUT LOG TOTAL COMMAND... runs the command with its output in OUT and
# its messages, one line per UNIT, in LOG, and says every few seconds how many there are.
# TOTAL is how many are expected at most, or 0.
with_progress() {
  local what=$1 unit=$2 out=$3 log=$4 total=$5 begin=$SECONDS last=$SECONDS of=
  shift 5
  ((total == 0)) || of=" of at most $total"
  : >"$log"
  nice "$@" >"$out" 2>"$log" &
  child=$!
  while kill -0 "$child" 2>/dev/null; do
    if ((SECONDS - last >= progress_every)); then
      last=$SECONDS
      say "$what, $((SECONDS - begin)) s: $(wc -l <"$log")$of $unit"
    fi
    sleep 0.2
  done
  if ! wait "$child"; then
    child=
    tail -n 20 "$log" >&2
    die "$what failed, the whole log is in $log"
  fi
  child=
}

# compile NAME HASH DIR PACKAGE LDFLAGS puts the binary into the cache, unless it is there.
# A file named tags in the directory holds the build tags.
compile() {
  local name=$1 hash=$2 dir=$3 package=$4 ldflags=$5 tags=
  [[ ! -f $dir/tags ]] || tags=$(<"$dir/tags")
  local binary=$cache/$name-$hash log=$cache/$name.log deps=$cache/$name.deps
  [[ -x $binary ]] && return 0
  # A new hash makes the older binaries useless; they are up to 160 MB each.
  find "$cache" -maxdepth 1 -name "$name-*" -delete
  with_progress "$name: resolving packages" "modules downloaded" "$deps" "$log" 0 \
    go list -C "$dir" -deps -tags "$tags" "$package"
  # What Go's build cache holds is not counted, and the linker runs silently at the end.
  with_progress "$name: compiling and linking" "packages compiled anew" /dev/null "$log" "$(wc -l <"$deps")" \
    go build -C "$dir" -v -buildvcs=false -trimpath -tags "$tags" -ldflags "-s -w $ldflags" -o "$binary.part" "$package"
  mv "$binary.part" "$binary"
}

# image TAG HASH BINARY DOCKERFILE [TARGET] builds one image from the binary.
image() {
  local tag=$1 hash=$2 binary=$3 dockerfile=$4 target=${5:-}
  local context log old
  old=$(docker image inspect --format '{{.Id}}' "$tag" 2>/dev/null) || true
  context=$(mktemp -d "$cache/context.XXXXXX")
  log=$context.log
  ln "$binary" "$context/bin" 2>/dev/null || cp "$binary" "$context/bin"
  mkdir -m 0755 "$context/empty"
  mkdir -m 1777 "$context/tmp"
  chmod 1777 "$context/tmp"
  cp "$here/passwd" "$here/group" "$context/"
  local args=(build --quiet --label "$label=$hash" --tag "$tag" --file "$dockerfile")
  [[ -z $target ]] || args+=(--target "$target")
  if ! docker "${args[@]}" "$context" >"$log" 2>&1; then
    tail -n 20 "$log" >&2
    rm -rf "$context" "$log"
    die "docker build of $tag failed"
  fi
  rm -rf "$context" "$log"
  # The replaced image would stay as an untagged one; a container that still uses it keeps it.
  [[ -z $old ]] || docker image rm "$old" >/dev/null 2>&1 || true
  say "$tag built ($(elapsed))"
}

# current TAG HASH tells whether the image is there and was built from these inputs.
current() {
  [[ $(docker image inspect --format "{{index .Config.Labels \"$label\"}}" "$1" 2>/dev/null) == "$2" ]]
}

# The doubles compile in seconds, so their binary itself is the input: what changes in
# go.mod without changing them rebuilds nothing.
build_doubles() {
  local binary=$cache/doubles log=$cache/doubles.log hash entry tag target
  with_progress "doubles: compiling and linking" "packages compiled anew" /dev/null "$log" 0 \
    go build -C "$root" -v -buildvcs=false -trimpath -ldflags '-s -w' -o "$binary" ./test/doubles/cmd/double
  hash=$(inputs_hash "$binary" "$here/doubles/Dockerfile" "$here/passwd" "$here/group")
  for entry in collector=doubles/collector:1 loki=doubles/loki:1 grafana=doubles/grafana:12.4.15 \
    prometheus=doubles/prometheus:1 jaeger=doubles/jaeger:1 \
    neo4j=doubles/neo4j:5.26.26 qdrant=doubles/qdrant:v1.19.0 box=box:1; do
    target=${entry%%=*} tag=orch.local/${entry#*=}
    if current "$tag" "$hash"; then
      say "$tag is up to date"
      continue
    fi
    image "$tag" "$hash" "$binary" "$here/doubles/Dockerfile" "$target"
  done
}

# build_real NAME TAG PACKAGE LDFLAGS builds from the module in the directory NAME.
build_real() {
  local name=$1 tag=$2 package=$3 ldflags=$4 sources hash files
  # Two hashes: a changed Dockerfile must not compile anything.
  mapfile -t files < <(find "$here/$name" -type f ! -name Dockerfile)
  sources=$(inputs_hash "${files[@]}")
  hash=$sources-$(inputs_hash "$here/$name/Dockerfile" "$here/passwd" "$here/group")
  if current "$tag" "$hash"; then
    say "$tag is up to date"
    return 0
  fi
  say "$tag: building the real component from source"
  compile "$name" "$sources" "$here/$name" "$package" "$ldflags"
  image "$tag" "$hash" "$cache/$name-$sources" "$here/$name/Dockerfile"
}

build_collector() {
  build_real collector orch.local/opentelemetry-collector-contrib:0.149.0 . ""
}

build_loki() {
  build_real loki orch.local/loki:3.7.8 github.com/grafana/loki/v3/cmd/loki \
    "-X github.com/grafana/loki/v3/pkg/util/build.Version=3.7.8"
}

# As a Go module Prometheus 3.15.0 is v0.315.0.
build_prometheus() {
  build_real prometheus orch.local/prometheus:v0.315.0 github.com/prometheus/prometheus/cmd/prometheus \
    "-X github.com/prometheus/common/version.Version=3.15.0"
}

# As a Go module Jaeger 2.13.0 is v1.76.0.
build_jaeger() {
  build_real jaeger orch.local/jaeger:1.76.0 github.com/jaegertracing/jaeger/cmd/jaeger \
    "-X github.com/jaegertracing/jaeger/internal/version.latestVersion=v2.13.0"
}

# debian_packages PACKAGE... prints the names of the packages and of all that they depend on,
# as if nothing were installed.
debian_packages() {
  apt-get -o Dir::State::status=/dev/null --print-uris -qq install --no-install-recommends "$@" |
    awk '{print $2}' | cut -d _ -f 1
}

# unpack_debian ROOT PACKAGE... unpacks the packages' files below ROOT; their scripts do not run.
unpack_debian() {
  local into=$1 dir log=$cache/apt.log
  shift
  mkdir -p "$into"
  into=$(cd "$into" && pwd)
  dir=$(mktemp -d "$cache/debs.XXXXXX")
  # apt downloads as its own user where it can, which may not write into our directory.
  if ! (cd "$dir" && apt-get -o APT::Sandbox::User=root download "$@") >"$log" 2>&1; then
    tail -n 5 "$log" >&2
    rm -rf "$dir"
    die "downloading Debian packages failed; bring the lists up to date with: apt-get update"
  fi
  local deb
  for deb in "$dir"/*.deb; do
    dpkg-deb --extract "$deb" "$into"
  done
  rm -rf "$dir"
}

# busybox_into DIR puts a static busybox there: the local images have their shell from it.
busybox_into() {
  command -v apt-get >/dev/null ||
    die "this image is made with packages of Debian or Ubuntu; use the upstream images: ORCH_TEMPORAL_IMAGES=upstream"
  if [[ ! -x $cache/busybox ]]; then
    unpack_debian "$cache/busybox.root" busybox-static
    mv "$(find "$cache/busybox.root" -path '*/bin/busybox' -type f)" "$cache/busybox"
    rm -rf "$cache/busybox.root"
  fi
  cp "$cache/busybox" "$1/busybox"
}

# compile_shared NAME HASH PACKAGE compiles from the directory temporal with the flags of
# scripts/go-build.sh, because then what bin/orch-worker is made of is not compiled again:
# eleven minutes. The C library, where there is one, is linked statically: the images have none.
compile_shared() {
  local name=$1 hash=$2 package=$3 binary=$cache/$1-$2 log=$cache/$1.log
  [[ -x $binary ]] && return 0
  find "$cache" -maxdepth 1 -name "$name-*" -delete
  local cgo=0 static=
  if [[ $(env -u CGO_ENABLED -u GOOS -u GOARCH go env CGO_ENABLED GOOS GOARCH | xargs) == "1 $GOOS $GOARCH" ]] &&
    echo 'int main(void) { return 0; }' | cc -static -x c -o /dev/null - 2>/dev/null; then
    cgo=1 static="-linkmode external -extldflags -static"
  fi
  with_progress "$name: compiling and linking" "packages compiled anew" /dev/null "$log" 0 \
    env CGO_ENABLED=$cgo go build -C "$here/temporal" -v -buildvcs=false -ldflags "-s -w $static" -o "$binary.part" "$package"
  mv "$binary.part" "$binary"
}

# image_of TAG HASH CONTEXT ARGUMENT... builds an image from a context of its own, and removes that.
image_of() {
  local tag=$1 hash=$2 context=$3 log=$3.log old
  shift 3
  old=$(docker image inspect --format '{{.Id}}' "$tag" 2>/dev/null) || true
  mkdir -p "$context/tmp"
  chmod 1777 "$context/tmp"
  cp "$here/temporal/passwd" "$here/temporal/group" "$context/"
  if ! docker build --quiet --label "$label=$hash" --tag "$tag" "$@" "$context" >"$log" 2>&1; then
    tail -n 20 "$log" >&2
    rm -rf "$context" "$log"
    die "docker build of $tag failed"
  fi
  rm -rf "$context" "$log"
  [[ -z $old ]] || docker image rm "$old" >/dev/null 2>&1 || true
  say "$tag built ($(elapsed))"
}

temporal_sources() { inputs_hash "$here/temporal/go.mod" "$here/temporal/go.sum" "$here/temporal/cli/main.go"; }

build_temporal() {
  local sources hash target dockerfile context name
  sources=$(temporal_sources)
  for target in server admin-tools; do
    dockerfile=$here/temporal/Dockerfile
    [[ $target == server ]] || dockerfile=$here/temporal/$target.Dockerfile
    hash=$sources-$(inputs_hash "$dockerfile" "$here/temporal/entrypoint.sh" "$here/temporal/passwd" "$here/temporal/group")
    local tag=orch.local/temporal/$target:1.32.1
    if current "$tag" "$hash"; then
      say "$tag is up to date"
      continue
    fi
    say "$tag: building from source"
    context=$(mktemp -d "$cache/context.XXXXXX")
    busybox_into "$context"
    case $target in
    server)
      compile_shared temporal-server "$sources" go.temporal.io/server/cmd/server
      cp "$cache/temporal-server-$sources" "$context/temporal-server"
      ;;
    admin-tools)
      compile_shared temporal-sql-tool "$sources" go.temporal.io/server/cmd/tools/sql
      compile_shared temporal-cli "$sources" ./cli
      for name in sql-tool cli; do cp "$cache/temporal-$name-$sources" "$context/temporal-$name"; done
      mv "$context/temporal-cli" "$context/temporal"
      ;;
    esac
    cp "$here/temporal/entrypoint.sh" "$context/"
    image_of "$tag" "$hash" "$context" --file "$dockerfile"
  done
}

build_temporal_ui() {
  local tag=orch.local/temporal/ui:2.54.1 sources hash context module
  sources=$(temporal_sources)
  hash=$sources-$(inputs_hash "$here/temporal-ui/Dockerfile" "$here/temporal/passwd" "$here/temporal/group")
  if current "$tag" "$hash"; then
    say "$tag is up to date"
    return 0
  fi
  say "$tag: building from source"
  context=$(mktemp -d "$cache/context.XXXXXX")
  busybox_into "$context"
  compile_shared temporal-ui "$sources" github.com/temporalio/ui-server/v2/cmd/server
  cp "$cache/temporal-ui-$sources" "$context/ui-server"
  module=$(go list -C "$here/temporal" -m -f '{{.Dir}}' github.com/temporalio/ui-server/v2)
  cp "$module/config/docker.yaml" "$context/docker.yaml"
  chmod 0644 "$context/docker.yaml"
  image_of "$tag" "$hash" "$context" --file "$here/temporal-ui/Dockerfile"
}

# Only libraries, the server, its client and what they read are unpacked: the packages' scripts
# do not run, so perl and debconf have nothing to do, and LLVM is used by its JIT compiler only.
build_postgres() {
  local tag=orch.local/postgres:debian hash context major packages
  hash=$(inputs_hash "$here/postgres/Dockerfile" "$here/postgres/entrypoint.sh")
  if current "$tag" "$hash"; then
    say "$tag is up to date"
    return 0
  fi
  say "$tag: unpacking Debian's packages"
  context=$(mktemp -d "$cache/context.XXXXXX")
  mkdir -p "$context/root/bin"
  busybox_into "$context/root/bin"
  major=$(apt-cache depends postgresql | sed -n 's/^ *Depends: postgresql-\([0-9]*\)$/\1/p')
  [[ -n $major ]] || die "apt does not know the package postgresql; bring its lists up to date with: apt-get update"
  packages=$(debian_packages "postgresql-$major" "postgresql-client-$major" libc-bin tzdata)
  # shellcheck disable=SC2046 # one word per package
  unpack_debian "$context/root" $(grep -E '^(lib|zlib1g|gcc-|postgresql-[0-9]|postgresql-client-[0-9]|tzdata)' <<<"$packages" |
    grep -vE '^(libllvm|libz3|libperl|lib.*-perl$|libc-l10n|libgdbm|libdb5)')
  rm -rf "$context/root/usr/share/"{doc,man,locale,lintian} "$context/root/usr/lib/postgresql/$major/lib/"{bitcode,llvmjit*}
  cp "$here/postgres/entrypoint.sh" "$context/"
  image_of "$tag" "$hash" "$context" --file "$here/postgres/Dockerfile" --build-arg "PG_MAJOR=$major"
}

main() {
  (($# > 0)) || usage
  local steps=() name step
  for name in "$@"; do
    case $name in
    doubles | collector | loki | prometheus | jaeger | temporal | postgres) steps+=("build_$name") ;;
    temporal-ui) steps+=(build_temporal_ui) ;;
    temporal-stack) steps+=(build_postgres build_temporal build_temporal_ui) ;;
    real) steps+=(build_collector build_loki) ;;
    real-full) steps+=(build_collector build_loki build_prometheus build_jaeger) ;;
    all) steps+=(build_doubles build_collector build_loki build_prometheus build_jaeger) ;;
    *) usage ;;
    esac
  done
  preflight
  for step in "${steps[@]}"; do
    one_at_a_time "$step"
    "$step"
  done
  say "done in $(elapsed)"
}

main "$@"
