#!/bin/sh
# Makes both databases with their schemas, or brings them to the version of these tools. Every
# step may be done again: what is there is left. The connection is in SQL_*.
set -eu

for schema in temporal visibility; do
  case $schema in
    temporal) database=temporal ;;
    visibility) database=temporal_visibility ;;
  esac
  echo "schema: database $database"
  SQL_DATABASE=$database
  export SQL_DATABASE
  temporal-sql-tool create-database --defaultdb postgres
  temporal-sql-tool setup-schema --version 0.0
  temporal-sql-tool update-schema --schema-name "postgresql/v12/$schema"
done
echo "schema: up to date"
