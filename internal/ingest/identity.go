package ingest

import (
	"errors"
	"hash/fnv"
	"io"
	"os"
	"syscall"
)

// device and inode name a file on one host for as long as it exists.
type inode struct {
	Device uint64 `json:"device"`
	Inode  uint64 `json:"inode"`
}

func inodeOf(info os.FileInfo) inode {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return inode{}
	}
	return inode{Device: uint64(stat.Dev), Inode: stat.Ino} //nolint:unconvert // the device's type differs between systems
}

const (
	// headSize is how much of a file's beginning tells it from others.
	headSize = 1024
	// lastSize is how much before the offset tells that the file is still the one that was read.
	lastSize = 256
)

// imprint is a digest of some bytes of a file. An empty one fits every file.
type imprint struct {
	Size int    `json:"size"`
	Sum  uint64 `json:"sum"`
}

func imprintOf(data []byte) imprint {
	if len(data) == 0 {
		return imprint{}
	}
	h := fnv.New64a()
	h.Write(data) // a hash never fails
	return imprint{Size: len(data), Sum: h.Sum64()}
}

// at reports whether the bytes of file that begin at offset have the imprint.
func (p imprint) at(file io.ReaderAt, offset int64) bool {
	if p.Size == 0 {
		return true
	}
	if offset < 0 {
		return false
	}
	data := make([]byte, p.Size)
	if n, err := file.ReadAt(data, offset); n < p.Size || err != nil && !errors.Is(err, io.EOF) {
		return false
	}
	return imprintOf(data) == p
}

// place is how far a file was read, and how to tell later that it is the same file.
type place struct {
	Path string `json:"path"`
	inode
	Offset int64 `json:"offset"`
	// Head are the first bytes, Last those before Offset.
	Head imprint `json:"head"`
	Last imprint `json:"last"`
}

// fits reports whether file holds what was read, which is true of the file itself, grown or not, and of a copy of it.
func (p place) fits(file *os.File) bool {
	info, err := file.Stat()
	return err == nil && info.Size() >= p.Offset && p.Head.at(file, 0) && p.Last.at(file, p.Offset-int64(p.Last.Size))
}
