#!/bin/sh
# Makes the namespace NAMESPACE on TEMPORAL_ADDRESS, unless it is there; an existing one keeps its
# settings.
set -eu

if temporal operator namespace describe --namespace "$NAMESPACE" >/dev/null 2>&1; then
  echo "namespace: $NAMESPACE is there"
  exit 0
fi
temporal operator namespace create --namespace "$NAMESPACE" --retention "$RETENTION"
