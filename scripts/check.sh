#!/usr/bin/env bash
# check.sh [CHECK]...
#
# Runs the named checks, or all of them, to the end: one run shows everything
# that is wrong. A check is silent when it passes. Exits 1 when one failed.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
# A configuration file of the machine must not redirect the providers.
unset TF_CLI_CONFIG_FILE TF_CLI_ARGS TF_DATA_DIR TF_WORKSPACE TF_LOG
read -r -a modules <<<"${MODULES:-. worker/cmd/orch-worker examples/custom-worker examples/chat/app tools}"
# The tools module holds no Go files, only pins.
code_modules=(. worker/cmd/orch-worker examples/custom-worker examples/chat/app)

check_gofmt() {
  local unformatted
  unformatted=$(find . \( -path ./.cache -o -path ./.git \) -prune -o -name '*.go' -exec gofmt -l {} +)
  if [[ -n $unformatted ]]; then
    echo "not formatted; run: make fmt"
    echo "$unformatted"
    return 1
  fi
}

check_vet() {
  local module status=0
  for module in "${code_modules[@]}"; do
    go -C "$module" vet ./... || status=1
  done
  # Code behind a build tag is not seen otherwise.
  go vet -tags real,cluster,specs ./test/... || status=1
  return "$status"
}

check_golangci-lint() {
  local module status=0
  for module in "${code_modules[@]}"; do
    (cd "$module" && "$root/scripts/tool.sh" golangci-lint run --config "$root/.golangci.yml" ./...) || status=1
  done
  return "$status"
}

check_workflowcheck() {
  scripts/tool.sh workflowcheck ./workflows/...
  (cd examples/custom-worker && "$root/scripts/tool.sh" workflowcheck ./...)
}

check_examples() {
  local cli
  cli=$(scripts/need.sh terraform-cli) || return 1
  "$cli" fmt -check -diff -recursive examples || {
    echo "not formatted; run: make fmt"
    return 1
  }
}

check_docs() {
  scripts/docs.sh --check
}

check_shell() {
  if ! command -v shellcheck >/dev/null; then
    echo "skipped: shellcheck is not installed"
    return 0
  fi
  local scripts=(.ci/run) script
  while IFS= read -r script; do
    scripts+=("$script")
  done < <(find scripts test deploy -name '*.sh' 2>/dev/null)
  shellcheck "${scripts[@]}"
}

check_modules() {
  local module status=0
  for module in "${modules[@]}"; do
    go -C "$module" mod tidy -diff || {
      echo "run: go -C $module mod tidy"
      status=1
    }
  done
  return "$status"
}

# A compiled program in a repository cannot be read, and holds paths of the machine that built it.
check_files() {
  local file size status=0
  while IFS= read -r -d '' file; do
    [[ -f $file && ! -L $file ]] || continue
    size=$(wc -c <"$file")
    if ((size > 1000000)); then
      echo "$file: $size bytes; tracked files stay under 1 MB"
      status=1
    fi
    case $(head -c 4 "$file" | od -An -tx1 | tr -d ' \n') in
      7f454c46 | cffaedfe | cefaedfe | feedfacf | feedface | cafebabe | 4d5a*)
        echo "$file: a compiled program; remove it with: git rm --cached $file"
        status=1
        ;;
    esac
  done < <(git ls-files -z)
  return "$status"
}

all=(files gofmt vet golangci-lint workflowcheck examples docs shell modules)
if [[ $# -eq 0 ]]; then
  set -- "${all[@]}"
fi

failed=()
# What is slow from an empty cache comes first, where it shows progress: vet and
# the linters then find it in the build cache.
case " $* " in
  *" vet "* | *" golangci-lint "*) scripts/build.sh || failed+=(build) ;;
  *" docs "*) scripts/build.sh provider || failed+=(build) ;;
esac
for check in "$@"; do
  case $check in
    golangci-lint | workflowcheck) scripts/tool.sh --build "$check" ;;
    docs) scripts/tool.sh --build tfplugindocs ;;
  esac
done

for check in "$@"; do
  if ! declare -F "check_$check" >/dev/null; then
    echo "${0##*/}: unknown check '$check', want one of: ${all[*]}" >&2
    exit 2
  fi
  SECONDS=0
  printf 'check: %-14s ' "$check"
  # Not in an `if`: that would switch off errexit inside the check.
  output=$(mktemp)
  set +e
  (
    set -e
    "check_$check"
  ) >"$output" 2>&1
  status=$?
  set -e
  if ((status == 0)); then
    echo "ok (${SECONDS}s)"
  else
    echo "FAILED (${SECONDS}s)"
    failed+=("$check")
  fi
  sed -E '/^go: (downloading|finding module|found) /d; s/^/    /' "$output"
  rm -f "$output"
done

if ((${#failed[@]} > 0)); then
  echo "check: failed: ${failed[*]}; one alone: scripts/check.sh NAME" >&2
  exit 1
fi
