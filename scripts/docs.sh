#!/usr/bin/env bash
# docs.sh [--check]
#
# Generates docs/ from the provider's schema, templates/ and examples/. With
# --check it writes nothing: it generates into a temporary copy, shows where
# docs/ differs and exits 1.
#
# tfplugindocs on its own compiles the provider again and downloads Terraform
# when it finds none in PATH. Given a schema file it does neither, so this
# works offline and with tofu as well.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
check=false
case ${1:-} in
  '') ;;
  --check) check=true ;;
  *)
    echo "usage: ${0##*/} [--check]" >&2
    exit 2
    ;;
esac

unset TF_CLI_ARGS TF_DATA_DIR TF_WORKSPACE TF_LOG
cli=$("$root/scripts/need.sh" terraform-cli)
"$root/scripts/build.sh" provider
"$root/scripts/tool.sh" --build tfplugindocs

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# tfplugindocs looks for the provider under hashicorp/ only, whatever its real
# address is.
address=registry.terraform.io/hashicorp/orch
mkdir "$work/schema"
cat >"$work/terraformrc" <<EOF
provider_installation {
  dev_overrides {
    "$address" = "$root/bin"
  }
  direct {}
}
EOF
cat >"$work/schema/main.tf" <<EOF
terraform {
  required_providers {
    orch = {
      source = "$address"
    }
  }
}
EOF
if ! TF_CLI_CONFIG_FILE=$work/terraformrc "$cli" -chdir="$work/schema" providers schema -json \
  >"$work/schema.json" 2>"$work/schema.log"; then
  cat "$work/schema.log" >&2
  echo "${0##*/}: reading the provider's schema with $cli failed" >&2
  exit 1
fi

# Always generated in a copy: a check must not touch the tree, which may be
# dirty, and a failed generation must not leave half of docs/ behind.
copy=$work/terraform-provider-orch
mkdir "$copy"
for input in examples templates; do
  if [[ -d $root/$input ]]; then
    cp -R "$root/$input" "$copy/$input"
  fi
done
if ! "$root/scripts/tool.sh" tfplugindocs generate --provider-dir "$copy" --provider-name orch \
  --providers-schema "$work/schema.json" >"$work/docs.log" 2>&1; then
  cat "$work/docs.log" >&2
  echo "${0##*/}: tfplugindocs generate failed" >&2
  exit 1
fi
# What tfplugindocs manages, and nothing else, is compared and replaced: pages
# beside it (docs/design.md) are written by hand.
managed=(index.md data-sources guides resources functions ephemeral-resources actions list-resources)

if ! "$root/scripts/tool.sh" tfplugindocs validate --provider-dir "$copy" --provider-name orch \
  --providers-schema "$work/schema.json" >"$work/docs.log" 2>&1; then
  cat "$work/docs.log" >&2
  echo "${0##*/}: tfplugindocs validate failed" >&2
  exit 1
fi

stale=false
for page in "${managed[@]}"; do
  old=$root/docs/$page new=$copy/docs/$page
  if $check; then
    if [[ -e $old || -e $new ]] && ! diff -ruN "$old" "$new"; then
      stale=true
    fi
    continue
  fi
  rm -rf "$old"
  if [[ -e $new ]]; then
    mkdir -p "$root/docs"
    cp -R "$new" "$old"
  fi
done
if $stale; then
  echo "${0##*/}: docs/ is not what the schema, templates/ and examples/ say; run: make docs" >&2
  exit 1
fi
