package ingest

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// mark is how far one stream of a container's log was read: the time of the last frame, and digests of all frames of that
// time, because the engine can only be asked for frames from a time on.
type mark struct {
	Time int64    `json:"time"`
	Sums []uint64 `json:"sums,omitempty"`
}

// containerPlace is how far a container's log was acknowledged. The two streams are written by two goroutines of the engine,
// so their times are in order only each for itself.
type containerPlace struct {
	Stdout mark `json:"stdout"`
	Stderr mark `json:"stderr"`
}

// filePlace is how far a file was acknowledged.
type filePlace struct {
	place
	// Seen is when the file was last there, in seconds since 1970.
	Seen int64 `json:"seen"`
}

// totals count since the ingest was made.
type totals struct {
	Lines      int64 `json:"lines"`
	Bytes      int64 `json:"bytes"`
	Backfilled int64 `json:"backfilled"`
	Rejected   int64 `json:"rejected"`
	Repaired   int64 `json:"repaired"`
	Split      int64 `json:"split"`
}

func (t *totals) add(more totals) {
	t.Lines += more.Lines
	t.Bytes += more.Bytes
	t.Backfilled += more.Backfilled
	t.Rejected += more.Rejected
	t.Repaired += more.Repaired
	t.Split += more.Split
}

// checkpoint is everything that must survive the process.
type checkpoint struct {
	Version    int                       `json:"version"`
	Files      []filePlace               `json:"files"`
	Containers map[string]containerPlace `json:"containers"`
	// Newest is the newest time that each stream in Loki has got.
	Newest map[string]int64 `json:"newest"`
	Totals totals           `json:"totals"`
	// FilesUnseen and ContainersUnseen are true until the first look at them is over, whose places are in the checkpoint then.
	FilesUnseen      bool `json:"files_unseen,omitempty"`
	ContainersUnseen bool `json:"containers_unseen,omitempty"`
}

const checkpointVersion = 1

// keepMissing is how long the place in a file that is not there any more is kept: its file system may come back.
const keepMissing = 7 * 24 * time.Hour

// ledger is the checkpoint in memory. Its methods may be called at the same time.
type ledger struct {
	path string

	mu         sync.Mutex
	files      map[inode]filePlace
	containers map[string]containerPlace
	newest     map[string]int64
	totals     totals
	// filesUnseen and containersUnseen are those of checkpoint.
	filesUnseen, containersUnseen bool
}

// openLedger reads the checkpoint. One that cannot be read is an error: beginning anew would send everything twice.
func openLedger(path string) (*ledger, error) {
	l := &ledger{path: path, files: map[inode]filePlace{}, containers: map[string]containerPlace{}, newest: map[string]int64{}}
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		l.filesUnseen, l.containersUnseen = true, true
		return l, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the checkpoint: %w", err)
	}
	var c checkpoint
	if err := json.Unmarshal(data, &c); err != nil {
		return nil, fmt.Errorf("the checkpoint %s cannot be read (%w): put a copy back, or remove it to begin anew, which ships all lines again", path, err)
	}
	if c.Version != checkpointVersion {
		return nil, fmt.Errorf("the checkpoint %s has version %d, and this worker knows version %d", path, c.Version, checkpointVersion)
	}
	for _, p := range c.Files {
		l.files[p.inode] = p
	}
	for id, p := range c.Containers {
		l.containers[id] = p
	}
	for stream, at := range c.Newest {
		l.newest[stream] = at
	}
	l.totals, l.filesUnseen, l.containersUnseen = c.Totals, c.FilesUnseen, c.ContainersUnseen
	return l, nil
}

// save writes the checkpoint so that a crash leaves the old one or the new one.
func (l *ledger) save(now time.Time) error {
	l.mu.Lock()
	forgetOld(l.newest, now)
	c := checkpoint{
		Version: checkpointVersion, Files: make([]filePlace, 0, len(l.files)), Containers: l.containers, Newest: l.newest, Totals: l.totals,
		FilesUnseen: l.filesUnseen, ContainersUnseen: l.containersUnseen,
	}
	for id, p := range l.files {
		if now.Unix()-p.Seen > int64(keepMissing/time.Second) {
			delete(l.files, id)
			continue
		}
		c.Files = append(c.Files, p)
	}
	data, err := json.Marshal(c)
	l.mu.Unlock()
	if err != nil {
		return fmt.Errorf("encode the checkpoint: %w", err)
	}
	return replaceFile(l.path, data, true)
}

// replaceFile writes a file and puts it in the place of another at once; with sync it is on the disk when it returns.
func replaceFile(path string, data []byte, sync bool) error {
	temporary := path + ".new"
	file, err := os.OpenFile(temporary, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = file.Write(data)
	if err == nil && sync {
		err = file.Sync()
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return fmt.Errorf("write %s: %w", temporary, err)
	}
	if err := os.Rename(temporary, path); err != nil {
		return err
	}
	if !sync {
		return nil
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

func (l *ledger) file(id inode) (place, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	p, ok := l.files[id]
	return p.place, ok
}

// places are all files that were ever followed and not forgotten.
func (l *ledger) places() []place {
	l.mu.Lock()
	defer l.mu.Unlock()
	all := make([]place, 0, len(l.files))
	for _, p := range l.files {
		all = append(all, p.place)
	}
	return all
}

func (l *ledger) putFile(p place, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.files[p.inode] = filePlace{p, now.Unix()}
}

// seen says that the first look at files, or at containers, is over.
func (l *ledger) seen(what *bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	*what = false
}

// touch says that files are still there.
func (l *ledger) touch(sizes map[inode]int64, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for id := range sizes {
		if p, ok := l.files[id]; ok {
			p.Seen = now.Unix()
			l.files[id] = p
		}
	}
}

func (l *ledger) container(id string) containerPlace {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.containers[id]
}

func (l *ledger) putContainer(id string, p containerPlace) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.containers[id] = p
}

// keepContainers forgets the containers that are not listed: their IDs never come back.
func (l *ledger) keepContainers(listed map[string]bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for id := range l.containers {
		if !listed[id] {
			delete(l.containers, id)
		}
	}
}

// sent counts what was acknowledged, and moves the newest times of streams on.
func (l *ledger) sent(more totals, newest map[string]int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.totals.add(more)
	for stream, at := range newest {
		l.newest[stream] = max(l.newest[stream], at)
	}
}

// unread is how many bytes of the files, whose sizes are given, were not acknowledged.
func (l *ledger) unread(sizes map[inode]int64) int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	var bytes int64
	for id, size := range sizes {
		bytes += max(0, size-l.files[id].Offset)
	}
	return bytes
}

func (l *ledger) counted() totals {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.totals
}
