#!/bin/sh
# Makes the database cluster at the first start, then becomes the server.
set -eu

if [ "${1:-}" != postgres ]; then
  exec "$@"
fi

if [ -f "$PGDATA/PG_VERSION" ]; then
  made=$(cat "$PGDATA/PG_VERSION")
  if [ "$made" != "$PG_MAJOR" ]; then
    echo "the data in the volume are of PostgreSQL $made, this image is $PG_MAJOR:" \
      "use an image of PostgreSQL $made, or dump and restore" >&2
    exit 1
  fi
else
  : "${POSTGRES_PASSWORD:?is needed to make the database}"
  user=${POSTGRES_USER:-postgres}
  part=$PGDATA.part
  rm -rf "$part"
  printf '%s\n' "$POSTGRES_PASSWORD" >/tmp/password
  initdb --pgdata="$part" --username="$user" --pwfile=/tmp/password --encoding=UTF8 --locale=C.UTF-8 \
    --auth-local=trust --auth-host=scram-sha-256 --data-checksums
  rm -f /tmp/password
  {
    echo "listen_addresses = '*'"
    echo "unix_socket_directories = '/var/run/postgresql'"
    # LLVM is left out of the image.
    echo "jit = off"
  } >>"$part/postgresql.conf"
  echo "host all all all scram-sha-256" >>"$part/pg_hba.conf"
  # What `initdb` does not make: the database named like the user, which clients expect.
  database=${POSTGRES_DB:-$user}
  if [ "$database" != postgres ]; then
    echo "CREATE DATABASE \"$database\";" | postgres --single -D "$part" postgres >/dev/null
  fi
  # Only a finished cluster gets the name under which it is looked for.
  mv "$part" "$PGDATA"
fi
unset POSTGRES_PASSWORD
exec "$@"
