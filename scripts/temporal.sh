#!/usr/bin/env bash
# temporal.sh up | verify | restarts | down
#
#   up      starts deploy/temporal/compose.yaml (PostgreSQL, Temporal, Web UI) and waits until it
#           is healthy; the first time it makes deploy/temporal/.env with a password and the images
#   verify  proves that it works: containers, database, workflow list, a workflow through a worker
#   restarts  applies examples/demo and kills PostgreSQL and the server in the middle of it
#   down    stops and removes the containers; PURGE=1 removes the database's volume and .env too
#
# Images: ORCH_TEMPORAL_IMAGES=upstream pulls the pinned ones, =local builds them
# (test/images/build.sh temporal-stack); unset takes upstream where a registry can be reached. The
# choice is kept in .env, because the volume belongs to that PostgreSQL.
# Ports: TEMPORAL_PORT (7233), TEMPORAL_UI_PORT (8080); kept in .env as well.
# docker compose of version 2 or newer is needed, as plugin or as docker-compose; where there is
# none, it is built from its module. Version 1, another program, is not used.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
directory=$root/deploy/temporal
# A second cluster on one machine, for example of a test, has a project and settings of its own.
project=${ORCH_TEMPORAL_PROJECT:-orch-temporal}
settings=${ORCH_TEMPORAL_ENV:-$directory/.env}
compose_version=v5.5.0
services=(postgresql temporal ui)

say() { echo "temporal: $*"; }
die() {
  echo "temporal: $*" >&2
  exit 1
}

# modern COMMAND... tells whether this is docker compose of version 2 or newer.
modern() {
  local version
  version=$("$@" version --short 2>/dev/null) || return 1
  version=${version#v}
  [[ $version =~ ^[0-9]+\. && ${version%%.*} -ge 2 ]]
}

compose_command=()
find_compose() {
  local built=$root/.cache/bench/docker-compose-$compose_version
  if modern docker compose; then
    compose_command=(docker compose)
  elif modern docker-compose; then
    compose_command=(docker-compose)
  else
    if command -v docker-compose >/dev/null; then
      say "docker-compose is $(docker-compose version --short 2>/dev/null || echo "of an unknown version"); version 1 is not supported"
    fi
    if ! modern "$built"; then
      say "building docker compose $compose_version from its module, a few minutes; the plugin docker-compose-plugin makes that unnecessary"
      "$root/scripts/go-build.sh" "$root/test/images/compose" "$built" github.com/docker/compose/v5/cmd \
        "-X github.com/docker/compose/v5/internal.Version=$compose_version"
    fi
    compose_command=("$built")
  fi
}

# The settings file decides alone: a variable of the caller's shell must not start the same
# volume with another password.
compose() {
  env -u POSTGRES_PASSWORD -u POSTGRES_IMAGE -u TEMPORAL_SERVER_IMAGE -u TEMPORAL_ADMIN_TOOLS_IMAGE -u TEMPORAL_UI_IMAGE \
    -u TEMPORAL_NAMESPACE -u TEMPORAL_PORT -u TEMPORAL_UI_PORT ORCH_TEMPORAL_PROJECT="$project" DOCKER_CONTEXT=default \
    "${compose_command[@]}" --project-name "$project" --file "$directory/compose.yaml" --env-file "$settings" "$@"
}

# setting NAME DEFAULT reads a line of the settings file.
setting() {
  local value
  value=$(sed -n "s/^$1=//p" "$settings" | tail -n 1)
  echo "${value:-$2}"
}

# pinned VARIABLE prints the upstream image that the compose file names.
pinned() { sed -n "s/^ *image: \${$1:-\(.*\)}$/\1/p" "$directory/compose.yaml" | head -n 1; }

image_variables=(POSTGRES_IMAGE TEMPORAL_ADMIN_TOOLS_IMAGE TEMPORAL_SERVER_IMAGE TEMPORAL_UI_IMAGE)

# pull_upstream gets the pinned images, and fails where no registry can be reached.
pull_upstream() {
  local variable image
  for variable in "${image_variables[@]}"; do
    image=$(pinned "$variable")
    [[ -n $image ]] || die "compose.yaml names no image for $variable"
    docker image inspect "$image" >/dev/null 2>&1 && continue
    say "pulling $image"
    docker pull --quiet "$image" >/dev/null || return 1
  done
}

local_images() {
  cat <<END
POSTGRES_IMAGE=orch.local/postgres:debian
TEMPORAL_ADMIN_TOOLS_IMAGE=orch.local/temporal/admin-tools:1.32.1
TEMPORAL_SERVER_IMAGE=orch.local/temporal/server:1.32.1
TEMPORAL_UI_IMAGE=orch.local/temporal/ui:2.54.1
END
}

# make_settings writes the settings file at the first start.
make_settings() {
  if docker volume inspect "${project}_postgresql" >/dev/null 2>&1; then
    die "the database's volume ${project}_postgresql is there, but its password was in $settings, which is gone:" \
      "restore that file, or begin anew with an empty database: docker volume rm ${project}_postgresql"
  fi
  local images=upstream
  case ${ORCH_TEMPORAL_IMAGES:-} in
    '')
      if ! pull_upstream; then
        say "no registry gives the upstream images: using local ones (ORCH_TEMPORAL_IMAGES=upstream insists)"
        images=local
      fi
      ;;
    upstream) pull_upstream || die "pulling failed; ORCH_TEMPORAL_IMAGES=local builds the images instead" ;;
    local) images=local ;;
    *) die "ORCH_TEMPORAL_IMAGES=$ORCH_TEMPORAL_IMAGES: want upstream or local" ;;
  esac
  mkdir -p "$(dirname "$settings")"
  # Complete or not at all: the password in it must be the one that the volume gets.
  (
    umask 077
    {
      echo "# Made by the first make temporal-up. The password belongs to the database's volume: keep both."
      echo "POSTGRES_PASSWORD=$(od -An -N 24 -t x1 /dev/urandom | tr -d ' \n')"
      [[ $images == upstream ]] || local_images
      echo "TEMPORAL_PORT=${TEMPORAL_PORT:-7233}"
      echo "TEMPORAL_UI_PORT=${TEMPORAL_UI_PORT:-8080}"
    } >"$settings.part"
  )
  mv "$settings.part" "$settings"
  say "made $settings with a new password"
}

up() {
  [[ -f $settings ]] || make_settings
  if [[ $(setting POSTGRES_IMAGE '') == orch.local/* ]]; then
    "$root/test/images/build.sh" temporal-stack
  fi
  if ! compose up --detach --wait --wait-timeout 300 "${services[@]}"; then
    compose ps --all >&2
    compose logs --tail 15 >&2
    die "it did not become healthy; above are the last lines of each log. Whole logs: docker logs CONTAINER"
  fi
  say "Temporal is at 127.0.0.1:$(setting TEMPORAL_PORT 7233), the Web UI at http://127.0.0.1:$(setting TEMPORAL_UI_PORT 8080)"
  say "next: bin/orch-worker run --service-name NAME --address 127.0.0.1:$(setting TEMPORAL_PORT 7233)"
}

verify() {
  [[ -f $settings ]] || die "it was never started: make temporal-up"
  local service id state answer
  for service in "${services[@]}"; do
    id=$(compose ps --quiet "$service")
    [[ -n $id ]] || die "FAIL  container of $service: there is none; start it: make temporal-up"
    state=$(docker inspect --format '{{.State.Health.Status}}' "$id")
    [[ $state == healthy ]] || die "FAIL  container of $service: $state; its log: docker logs $id"
    say "ok    container of $service is healthy"
  done
  answer=$(compose exec -T postgresql psql --username=temporal --dbname=temporal --tuples-only --no-align --command 'SELECT 1') ||
    die "FAIL  SELECT 1 in the database"
  [[ $answer == 1 ]] || die "FAIL  SELECT 1 in the database answers '$answer'"
  say "ok    SELECT 1 in the database"
  go -C "$root" run ./test/temporal -address "127.0.0.1:$(setting TEMPORAL_PORT 7233)" \
    -web-ui "http://127.0.0.1:$(setting TEMPORAL_UI_PORT 8080)" -worker "${ORCH_BIN_DIR:-$root/bin}/orch-worker"
}

restarts() {
  [[ -f $settings ]] || die "it was never started: make temporal-up"
  ORCH_CLUSTER_ADDRESS=127.0.0.1:$(setting TEMPORAL_PORT 7233) ORCH_CLUSTER_PROJECT=$project ORCH_BIN_DIR=${ORCH_BIN_DIR:-$root/bin} \
    go -C "$root" test -count=1 -timeout 20m -tags cluster ./test/temporal
}

down() {
  if [[ ! -f $settings ]]; then
    if [[ -n ${PURGE:-} ]]; then docker volume rm --force "${project}_postgresql" >/dev/null; fi
    say "it is not set up"
    return
  fi
  if [[ -n ${PURGE:-} ]]; then
    compose down --volumes
    rm -f "$settings"
    say "removed, with its database"
  else
    compose down
    say "removed; the database's volume ${project}_postgresql is kept (PURGE=1 removes it)"
  fi
}

case ${1:-} in
  up | verify | restarts | down)
    "$root/scripts/need.sh" docker
    find_compose
    "$1"
    ;;
  *)
    echo "usage: ${0##*/} up|verify|restarts|down" >&2
    exit 2
    ;;
esac
