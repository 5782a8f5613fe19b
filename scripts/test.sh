#!/usr/bin/env bash
# test.sh [GO-TEST-FLAG]...
#
# Runs the tests of the root module, of the worker's module and of the example
# of a user's own worker. The binaries in bin/ and the images must be there
# (make test builds them). RUN narrows to tests whose name matches, PACKAGES to
# packages of the root module.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
scripts/need.sh docker terraform

# The name under which terraform-plugin-testing looks for the CLI: without it,
# it would try to download one where only tofu is installed.
TF_ACC_TERRAFORM_PATH=${TF_ACC_TERRAFORM_PATH:-$(scripts/need.sh terraform-cli)}
export TF_ACC_TERRAFORM_PATH
export ORCH_BIN_DIR=${ORCH_BIN_DIR:-$root/bin}

# A configuration file of the machine must not redirect the providers of tests.
unset TF_CLI_CONFIG_FILE TF_CLI_ARGS TF_DATA_DIR TF_WORKSPACE TF_LOG

# Packages that use the Docker Engine share it: two at a time keeps their
# deadlines honest on a two-core machine. Results are not cached because they
# depend on the engine and on bin/, which go does not see.
flags=(-count=1 -p 2 -timeout 20m "$@")
if [[ -n ${RUN:-} ]]; then
  flags+=(-run "$RUN")
fi
# In this order: the longest one first, because it would run alone if it came
# last; the engine's own tests last, because they and the end-to-end tests keep
# the Docker Engine busiest.
mapfile -t rest < <(go list ./... | grep -v '/internal/engine$')
packages=(./test/e2e ./test/deployments "${rest[@]}" ./internal/engine)
if [[ -n ${PACKAGES:-} ]]; then
  read -r -a packages <<<"$PACKAGES"
fi

# go test is silent until a whole package is done, which takes minutes for the
# end-to-end tests, and longer when their dependencies are compiled first. The
# sleep that outlives the ticker must not hold a pipe open.
(while sleep 30 >/dev/null 2>&1; do echo "test: ${SECONDS}s"; done) &
ticker=$!
trap 'kill "$ticker" 2>/dev/null || true' EXIT

failed=()
go test "${flags[@]}" "${packages[@]}" || failed+=("the root module")
if [[ -z ${PACKAGES:-} ]]; then
  for module in worker/cmd/orch-worker examples/custom-worker; do
    go -C "$module" test "${flags[@]}" ./... || failed+=("$module")
  done
fi

if ((${#failed[@]} > 0)); then
  printf 'test: tests of %s failed\n' "${failed[@]}" >&2
  exit 1
fi
