package bolt

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// Minor is the newest minor version of Bolt 5 that the double speaks; 5.1 is the oldest,
// because 5.0 authenticates in HELLO.
const Minor = 4

var magic = [4]byte{0x60, 0x60, 0xB0, 0x17}

// ErrNoVersion says that the client offers no version the double speaks, or is no Bolt
// client at all.
var ErrNoVersion = errors.New("bolt: no common version")

// Handshake answers the client's four proposals with the newest common version:
//
//	60 60 B0 17 | 00 08 08 05 …   → 00 00 04 05
func Handshake(conn io.ReadWriter) error {
	var hello [20]byte
	if _, err := io.ReadFull(conn, hello[:]); err != nil {
		return fmt.Errorf("bolt: read handshake: %w", err)
	}
	if [4]byte(hello[:4]) != magic {
		return fmt.Errorf("%w: the first bytes are % x", ErrNoVersion, hello[:4])
	}
	for at := 4; at < len(hello); at += 4 {
		span, minor, major := int(hello[at+1]), int(hello[at+2]), hello[at+3]
		if major != 5 {
			continue
		}
		if chosen := min(minor, Minor); chosen >= 1 && chosen >= minor-span {
			_, err := conn.Write([]byte{0, 0, byte(chosen), 5})
			return err
		}
	}
	_, err := conn.Write(make([]byte, 4))
	return errors.Join(fmt.Errorf("%w: the client proposes % x", ErrNoVersion, hello[4:]), err)
}

// maxMessage is far above what the statements of orch need.
const maxMessage = 16 << 20

// ReadMessage reads the chunks of one message; empty messages keep a connection alive.
func ReadMessage(in io.Reader) (Structure, error) {
	var raw []byte
	for {
		var size uint16
		if err := binary.Read(in, binary.BigEndian, &size); err != nil {
			return Structure{}, err
		}
		if size == 0 {
			if len(raw) == 0 {
				continue
			}
			return Unpack(raw)
		}
		if len(raw)+int(size) > maxMessage {
			return Structure{}, fmt.Errorf("bolt: a message exceeds %d bytes", maxMessage)
		}
		chunk := make([]byte, size)
		if _, err := io.ReadFull(in, chunk); err != nil {
			return Structure{}, err
		}
		raw = append(raw, chunk...)
	}
}

const maxChunk = 0xFFFF

// WriteMessage writes one message in chunks.
func WriteMessage(out io.Writer, message Structure) error {
	raw, err := Pack(nil, message)
	if err != nil {
		return err
	}
	var wire []byte
	for len(raw) > 0 {
		chunk := raw[:min(len(raw), maxChunk)]
		raw = raw[len(chunk):]
		wire = binary.BigEndian.AppendUint16(wire, uint16(len(chunk)))
		wire = append(wire, chunk...)
	}
	_, err = out.Write(append(wire, 0, 0))
	return err
}
