#!/usr/bin/env bash
# Builds bin/temporal-server, the Temporal server as its own program, which test/connections
# starts with TLS and authorization. Its packages are those of bin/orch-worker, so that only the
# linker has work to do where that was built.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
"$root/scripts/go-build.sh" "$root/test/images/temporal" "${ORCH_BIN_DIR:-$root/bin}/temporal-server" \
  go.temporal.io/server/cmd/server
