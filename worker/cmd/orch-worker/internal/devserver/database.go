package devserver

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"go.temporal.io/server/common/config"
	"go.temporal.io/server/common/persistence/sql/sqlplugin/sqlite"
	sqliteschema "go.temporal.io/server/schema/sqlite"
	"google.golang.org/protobuf/types/known/durationpb"
)

// databaseFile is the name of the SQLite file in the data directory.
const databaseFile = "temporal.db"

// openDatabase returns the SQL configuration of the database in dir, which it creates with its schema and the namespace
// where they are absent.
func openDatabase(dir, namespace string, retention time.Duration) (*config.SQL, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("create data directory %s: %w", dir, err)
	}
	path := filepath.Join(dir, databaseFile)
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		if err := createSchema(path); err != nil {
			return nil, err
		}
	} else if err != nil {
		return nil, fmt.Errorf("look at database file %s: %w", path, err)
	}
	cfg := sqlConfig(path)
	// Commits survive the death of the process in both modes; NORMAL with a write-ahead log saves one fsync per commit, which
	// is a factor of five in workflow latency.
	cfg.ConnectAttributes["journal_mode"] = "wal"
	cfg.ConnectAttributes["synchronous"] = "normal"

	ns, err := sqliteschema.NewNamespaceConfig(clusterName, namespace, false, nil)
	if err != nil {
		return nil, fmt.Errorf("configure namespace %s: %w", namespace, err)
	}
	ns.Detail.Config.Retention = durationpb.New(retention)
	if err := sqliteschema.CreateNamespaces(cfg, ns); err != nil {
		return nil, fmt.Errorf("create namespace %s in database file %s, which may be damaged or not be a Temporal database "+
			"(workflow history is all it holds: moving it away loses no container): %w", namespace, path, err)
	}
	return cfg, nil
}

// createSchema writes the schema to a file beside path and renames it, so that a process that dies halfway leaves no
// database that looks complete.
func createSchema(path string) error {
	draft := path + ".new"
	for _, name := range []string{draft, draft + "-journal"} {
		if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("remove unfinished database file %s: %w", name, err)
		}
	}
	f, err := os.OpenFile(draft, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("create database file %s: %w", draft, err)
	}
	if err := f.Close(); err != nil {
		return fmt.Errorf("create database file %s: %w", draft, err)
	}
	cfg := sqlConfig(draft)
	// Nobody needs a half-written draft, so it may skip every sync but the one below.
	cfg.ConnectAttributes["synchronous"] = "off"
	cfg.ConnectAttributes["journal_mode"] = "memory"
	if err := sqliteschema.SetupSchema(cfg); err != nil {
		return fmt.Errorf("set up the schema in %s: %w", draft, err)
	}
	if err := syncFile(draft); err != nil {
		return err
	}
	if err := os.Rename(draft, path); err != nil {
		return fmt.Errorf("move the new database file into place: %w", err)
	}
	return nil
}

func syncFile(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return fmt.Errorf("open %s to sync it: %w", path, err)
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("sync %s: %w", path, err)
	}
	return nil
}

func sqlConfig(path string) *config.SQL {
	return &config.SQL{
		PluginName: sqlite.PluginName,
		// The name becomes the path of a file: URI, in which these characters have a meaning of their own.
		DatabaseName:      strings.NewReplacer("%", "%25", "?", "%3f", "#", "%23").Replace(path),
		ConnectAttributes: map[string]string{"mode": "rw"},
	}
}
