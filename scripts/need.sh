#!/usr/bin/env bash
# need.sh NEED...
#
#   docker         a Docker Engine that answers, and the docker command; on
#                  Debian and Ubuntu root gets them installed and started
#   terraform      a Terraform CLI: terraform or tofu
#   terraform-cli  the same, and prints its path
#   go             a Go toolchain new enough for go.mod
#
# Silent when everything is there. Otherwise it installs or starts what it can,
# or says in one line what to do and exits 1.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
socket=/var/run/docker.sock
engine_log=$root/.cache/dockerd.log

say() { echo "need: $*" >&2; }
fail() {
  say "$*"
  exit 1
}

# An engine that hangs must not hang the build; macOS has no timeout command.
bounded() {
  if command -v timeout >/dev/null; then
    timeout 10 "$@"
  else
    "$@"
  fi
}

# The provider's worker reads DOCKER_HOST but no docker contexts: ask the same
# engine that it will ask.
engine_answers() {
  DOCKER_CONTEXT=default bounded docker version --format '{{.Server.Version}}' >/dev/null 2>&1
}

can_install() {
  [[ $(id -u) -eq 0 ]] && command -v apt-get >/dev/null && [[ -f /etc/debian_version ]]
}

install_package() {
  local package=$1
  say "installing the Debian package $package"
  mkdir -p "$root/.cache"
  if ! {
    apt-get update -qq &&
      DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$package"
  } >"$root/.cache/apt.log" 2>&1; then
    tail -n 5 "$root/.cache/apt.log" >&2
    fail "apt-get install $package failed (whole log in .cache/apt.log)"
  fi
}

start_engine() {
  mkdir -p "$root/.cache"
  say "starting the Docker Engine"
  if [[ -d /run/systemd/system ]]; then
    systemctl start docker >"$engine_log" 2>&1 || true
  elif [[ -x /etc/init.d/docker ]] && service docker start >"$engine_log" 2>&1; then
    :
  fi
  if ! engine_answers && ! pgrep -x dockerd >/dev/null 2>&1; then
    # A killed engine leaves its pid file behind, and the next one refuses to
    # start when some other process has that number by now.
    local pid_file=/var/run/docker.pid
    if [[ -f $pid_file ]] && ! grep -qs '^dockerd$' "/proc/$(<"$pid_file")/comm"; then
      rm -f "$pid_file"
    fi
    nohup dockerd >>"$engine_log" 2>&1 </dev/null &
  fi
}

wait_for_engine() {
  local limit=60 next=5
  SECONDS=0
  until engine_answers; do
    if ((SECONDS >= limit)); then
      tail -n 5 "$engine_log" >&2 || true
      fail "the Docker Engine did not answer within ${limit}s (its log: ${engine_log#"$root"/}, /var/log/docker.log or journalctl -u docker)"
    fi
    if ((SECONDS >= next)); then
      say "waiting for the Docker Engine, ${SECONDS}s"
      next=$((SECONDS + 5))
    fi
    sleep 0.5
  done
  say "the Docker Engine answers"
}

need_docker() {
  if ! command -v docker >/dev/null; then
    can_install || fail "no docker command: install Docker (https://docs.docker.com/engine/install) and run again"
    install_package docker.io
    # Debian 13 and later split the command from the engine.
    command -v docker >/dev/null || install_package docker-cli
  fi
  if engine_answers; then
    return
  fi
  if [[ -n ${DOCKER_HOST:-} ]]; then
    fail "no Docker Engine answers at DOCKER_HOST=$DOCKER_HOST: start it there, or unset DOCKER_HOST to use the local one"
  fi
  local context_host
  context_host=$(docker context inspect --format '{{.Endpoints.docker.Host}}' 2>/dev/null || true)
  if [[ -n $context_host && $context_host != "unix://$socket" ]] && bounded docker version >/dev/null 2>&1; then
    fail "the engine of your docker context is not at $socket: export DOCKER_HOST=$context_host and run again"
  fi
  if ! can_install; then
    if [[ -S $socket && ! -w $socket ]]; then
      fail "no permission for $socket: join the docker group (sudo usermod -aG docker \$USER, then log in again)"
    fi
    fail "no Docker Engine answers at $socket: start it (sudo systemctl start docker, or Docker Desktop), or set DOCKER_HOST"
  fi
  command -v dockerd >/dev/null || install_package docker.io
  engine_answers || start_engine
  wait_for_engine
}

terraform_cli() {
  local cli version
  cli=$(command -v terraform || command -v tofu) ||
    fail "no Terraform CLI: install terraform 1.11 or newer (https://developer.hashicorp.com/terraform/install) or tofu (https://opentofu.org/docs/intro/install) into PATH"
  # CHECKPOINT_DISABLE: asking for news takes long where there is no internet.
  version=$(CHECKPOINT_DISABLE=1 TF_CLI_CONFIG_FILE=/dev/null "$cli" version 2>/dev/null | sed -n 's/^[A-Za-z]* v\([0-9.]*\).*/\1/p' | head -n 1)
  case $version in
    '' | 0.* | 1.[0-9] | 1.[0-9].* | 1.10 | 1.10.*)
      fail "$cli is version ${version:-unknown}, but write-only attributes need 1.11: install a newer one, or put tofu 1.11 or newer first in PATH"
      ;;
  esac
  echo "$cli"
}

need_go() {
  local want problem
  want=$(sed -n 's/^go //p' "$root/go.mod")
  command -v go >/dev/null ||
    fail "no go command: install Go $want or newer (https://go.dev/dl) into PATH"
  # go itself compares with go.mod, and fetches the toolchain where it may.
  problem=$(go -C "$root" list -m 2>&1 >/dev/null) ||
    fail "Go $want or newer is needed (https://go.dev/dl): ${problem%%$'\n'*}"
}

if [[ $# -eq 0 ]]; then
  echo "usage: ${0##*/} docker|terraform|terraform-cli|go ..." >&2
  exit 2
fi
for need in "$@"; do
  case $need in
    docker) need_docker ;;
    terraform) terraform_cli >/dev/null ;;
    terraform-cli) terraform_cli ;;
    go) need_go ;;
    *) fail "unknown need '$need', want docker, terraform, terraform-cli or go" ;;
  esac
done
