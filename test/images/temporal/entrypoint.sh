#!/bin/sh
# As in the upstream image: the server tells other members its own address, which a wildcard
# to bind to does not say.
set -eu

: "${BIND_ON_IP:=$(hostname -i | cut -d ' ' -f 1)}"
export BIND_ON_IP
if [ "$BIND_ON_IP" = "0.0.0.0" ]; then
  : "${TEMPORAL_BROADCAST_ADDRESS:=$(hostname -i | cut -d ' ' -f 1)}"
  export TEMPORAL_BROADCAST_ADDRESS
fi

exec temporal-server start
