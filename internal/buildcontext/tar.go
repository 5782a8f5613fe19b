package buildcontext

import (
	"archive/tar"
	"crypto/sha256"
	"io"
	"io/fs"
)

// Tar streams the context in the form that the Docker Engine takes: owner 0:0, and times as they are, which are no content and yet
// matter to what is built, such as a web server's cache tags. Reading fails when a file is not any more what the digest was made of,
// so that nothing is built under a wrong name. The caller closes it.
func (c *Context) Tar() io.ReadCloser {
	reader, writer := io.Pipe()
	go func() { writer.CloseWithError(c.write(writer)) }()
	return reader
}

func (c *Context) write(to io.Writer) error {
	out := tar.NewWriter(to)
	for _, e := range c.entries {
		if err := c.writeEntry(out, e); err != nil {
			return err
		}
	}
	return out.Close()
}

func (c *Context) writeEntry(out *tar.Writer, e entry) error {
	header := &tar.Header{Name: e.path, Mode: tarMode(e), ModTime: e.modified, Typeflag: tar.TypeReg, Size: e.size}
	switch {
	case e.mode.IsDir():
		header.Typeflag, header.Name = tar.TypeDir, e.path+"/"
	case e.link != "":
		header.Typeflag, header.Linkname = tar.TypeSymlink, e.link
	}
	if err := out.WriteHeader(header); err != nil {
		return err
	}
	if header.Typeflag != tar.TypeReg {
		return nil
	}
	hash := sha256.New()
	size, err := c.copy(io.MultiWriter(out, hash), e.path)
	if err == nil && (size != e.size || [sha256.Size]byte(hash.Sum(nil)) != e.sum) {
		return c.changing(e.path)
	}
	return err
}

// tarMode are the permissions in a tar's own bits.
func tarMode(e entry) int64 {
	mode := e.permissions() & int64(fs.ModePerm)
	for bit, tarBit := range map[fs.FileMode]int64{fs.ModeSetuid: 0o4000, fs.ModeSetgid: 0o2000, fs.ModeSticky: 0o1000} {
		if e.mode&bit != 0 {
			mode |= tarBit
		}
	}
	return mode
}
