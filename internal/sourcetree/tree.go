package sourcetree

import (
	"bytes"
	"crypto/sha1" // Git's object ids are SHA-1; nothing is protected by them here
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
)

// Modes of files, as git writes them into a tree.
const (
	modeFile       = "100644"
	modeExecutable = "100755"
	modeLink       = "120000"
	modeFolder     = "40000"
)

// Tree is the content of a commit.
type Tree struct{ files []file }

type file struct {
	path    string // with slashes
	mode    string
	content []byte
}

// Types of git objects.
const (
	TypeBlob   = "blob"
	TypeTree   = "tree"
	TypeCommit = "commit"
)

// Object is a git object: what is hashed and sent.
type Object struct {
	Type    string
	Content []byte
}

// ID is the object's name: 40 hex digits.
func (o Object) ID() string {
	sum := o.sum()
	return hex.EncodeToString(sum[:])
}

func (o Object) sum() [sha1.Size]byte {
	h := sha1.New()
	h.Write(fmt.Appendf(nil, "%s %d\x00", o.Type, len(o.Content)))
	h.Write(o.Content)
	return [sha1.Size]byte(h.Sum(nil))
}

// With is the tree with one more file, which replaces one of that path.
func (t Tree) With(path string, content []byte) Tree {
	files := slices.DeleteFunc(slices.Clone(t.files), func(f file) bool { return f.path == path })
	return Tree{append(files, file{path: path, mode: modeFile, content: content})}
}

// Has reports whether the tree holds a file of that path.
func (t Tree) Has(path string) bool {
	return slices.ContainsFunc(t.files, func(f file) bool { return f.path == path })
}

// Len is how many files the tree holds.
func (t Tree) Len() int { return len(t.files) }

// Hash is git's id of the tree.
func (t Tree) Hash() string {
	objects := t.Objects()
	return objects[len(objects)-1].ID()
}

// Objects are the blobs and trees of t, each once; the root tree comes last.
func (t Tree) Objects() []Object {
	var b builder
	b.folder(t.files, 0)
	return b.objects
}

type builder struct {
	objects []Object
	seen    map[[sha1.Size]byte]bool
}

func (b *builder) add(o Object) [sha1.Size]byte {
	if b.seen == nil {
		b.seen = map[[sha1.Size]byte]bool{}
	}
	sum := o.sum()
	if !b.seen[sum] {
		b.seen[sum] = true
		b.objects = append(b.objects, o)
	}
	return sum
}

// folder adds the tree of files whose paths share their first skip bytes.
func (b *builder) folder(files []file, skip int) [sha1.Size]byte {
	type entry struct {
		name, mode string
		sum        [sha1.Size]byte
	}
	var entries []entry
	below := map[string][]file{}
	for _, f := range files {
		name, _, nested := strings.Cut(f.path[skip:], "/")
		if nested {
			below[name] = append(below[name], f)
			continue
		}
		entries = append(entries, entry{name, f.mode, b.add(Object{TypeBlob, f.content})})
	}
	for name, inside := range below {
		entries = append(entries, entry{name, modeFolder, b.folder(inside, skip+len(name)+1)})
	}
	// Git sorts folders as if their names ended in a slash.
	slices.SortFunc(entries, func(x, y entry) int {
		key := func(e entry) string {
			if e.mode == modeFolder {
				return e.name + "/"
			}
			return e.name
		}
		return strings.Compare(key(x), key(y))
	})
	var content bytes.Buffer
	for _, e := range entries {
		fmt.Fprintf(&content, "%s %s\x00", e.mode, e.name)
		content.Write(e.sum[:])
	}
	return b.add(Object{TypeTree, content.Bytes()})
}
