package bolt

import (
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
)

// Structure is a tagged list of fields: a message or a value such as a node.
type Structure struct {
	Tag    byte
	Fields []any
}

// Node is a node of the graph.
type Node struct {
	ID        int64
	ElementID string
	Labels    []string
	Props     map[string]any
}

const nodeTag = 'N'

// errShort says that a message ended inside a value.
var errShort = errors.New("packstream: the message ends inside a value")

// Pack appends the encoding of nil, bool, int, int64, float64, string, []any, []string,
// map[string]any, Node or Structure.
func Pack(out []byte, value any) ([]byte, error) {
	switch v := value.(type) {
	case nil:
		return append(out, 0xC0), nil
	case bool:
		if v {
			return append(out, 0xC3), nil
		}
		return append(out, 0xC2), nil
	case int:
		return packInt(out, int64(v)), nil
	case int64:
		return packInt(out, v), nil
	case float64:
		return binary.BigEndian.AppendUint64(append(out, 0xC1), math.Float64bits(v)), nil
	case string:
		out = packSize(out, len(v), 0x80, 0xD0)
		return append(out, v...), nil
	case []string:
		items := make([]any, len(v))
		for i, item := range v {
			items[i] = item
		}
		return Pack(out, items)
	case []any:
		return packAll(packSize(out, len(v), 0x90, 0xD4), v)
	case map[string]any:
		out = packSize(out, len(v), 0xA0, 0xD8)
		for _, name := range slices.Sorted(maps.Keys(v)) {
			var err error
			if out, err = packAll(out, []any{name, v[name]}); err != nil {
				return nil, err
			}
		}
		return out, nil
	case Node:
		return Pack(out, Structure{Tag: nodeTag, Fields: []any{v.ID, v.Labels, v.Props, v.ElementID}})
	case Structure:
		if len(v.Fields) > 15 {
			return nil, fmt.Errorf("packstream: structure of %d fields", len(v.Fields))
		}
		return packAll(append(out, 0xB0|byte(len(v.Fields)), v.Tag), v.Fields)
	}
	return nil, fmt.Errorf("packstream: cannot encode %T", value)
}

func packAll(out []byte, values []any) ([]byte, error) {
	for _, value := range values {
		var err error
		if out, err = Pack(out, value); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func packInt(out []byte, v int64) []byte {
	switch {
	case v >= -16 && v <= math.MaxInt8:
		return append(out, byte(v))
	case v >= math.MinInt8 && v <= math.MaxInt8:
		return append(out, 0xC8, byte(v))
	case v >= math.MinInt16 && v <= math.MaxInt16:
		return binary.BigEndian.AppendUint16(append(out, 0xC9), uint16(v))
	case v >= math.MinInt32 && v <= math.MaxInt32:
		return binary.BigEndian.AppendUint32(append(out, 0xCA), uint32(v))
	default:
		return binary.BigEndian.AppendUint64(append(out, 0xCB), uint64(v))
	}
}

// packSize writes a marker with the size in it, or followed by the size in 1, 2 or 4 bytes.
func packSize(out []byte, size int, tiny, sized byte) []byte {
	switch {
	case size < 16:
		return append(out, tiny|byte(size))
	case size <= math.MaxUint8:
		return append(out, sized, byte(size))
	case size <= math.MaxUint16:
		return binary.BigEndian.AppendUint16(append(out, sized+1), uint16(size))
	default:
		return binary.BigEndian.AppendUint32(append(out, sized+2), uint32(size))
	}
}

// Unpack decodes one message: a structure that takes all of raw.
func Unpack(raw []byte) (Structure, error) {
	d := decoder{rest: raw}
	value, err := d.value(0)
	if err != nil {
		return Structure{}, err
	}
	message, ok := value.(Structure)
	if !ok || len(d.rest) > 0 {
		return Structure{}, fmt.Errorf("packstream: a message is one structure, not %T with %d bytes after it", value, len(d.rest))
	}
	return message, nil
}

// maxDepth bounds nesting, so that a hostile message cannot exhaust the stack.
const maxDepth = 64

type decoder struct{ rest []byte }

func (d *decoder) take(n int) ([]byte, error) {
	if n < 0 || len(d.rest) < n {
		return nil, errShort
	}
	out := d.rest[:n]
	d.rest = d.rest[n:]
	return out, nil
}

func (d *decoder) uint(width int) (uint64, error) {
	raw, err := d.take(width)
	var out uint64
	for _, b := range raw {
		out = out<<8 | uint64(b)
	}
	return out, err
}

func (d *decoder) value(depth int) (any, error) {
	if depth > maxDepth {
		return nil, errors.New("packstream: nested too deeply")
	}
	head, err := d.take(1)
	if err != nil {
		return nil, err
	}
	marker := head[0]
	switch low := int(marker & 0x0F); {
	case marker < 0x80 || marker >= 0xF0:
		return int64(int8(marker)), nil
	case marker < 0x90:
		return d.text(low)
	case marker < 0xA0:
		return d.list(low, depth)
	case marker < 0xB0:
		return d.dictionary(low, depth)
	case marker < 0xC0:
		tag, err := d.take(1)
		if err != nil {
			return nil, err
		}
		fields, err := d.list(low, depth)
		return Structure{Tag: tag[0], Fields: fields}, err
	}
	return d.marked(marker, depth)
}

// marked decodes what has its size or value after the marker.
func (d *decoder) marked(marker byte, depth int) (any, error) {
	switch marker {
	case 0xC0:
		return nil, nil
	case 0xC1:
		bits, err := d.uint(8)
		return math.Float64frombits(bits), err
	case 0xC2, 0xC3:
		return marker == 0xC3, nil
	case 0xC8, 0xC9, 0xCA, 0xCB:
		width := 1 << (marker - 0xC8)
		raw, err := d.uint(width)
		shift := 64 - 8*width
		return int64(raw<<shift) >> shift, err
	}
	width := 1 << (marker & 0x03)
	size, err := d.uint(width)
	if err != nil || size > math.MaxInt32 {
		return nil, errors.Join(errShort, err)
	}
	switch marker {
	case 0xD0, 0xD1, 0xD2:
		return d.text(int(size))
	case 0xD4, 0xD5, 0xD6:
		return d.list(int(size), depth)
	case 0xD8, 0xD9, 0xDA:
		return d.dictionary(int(size), depth)
	}
	return nil, fmt.Errorf("packstream: unknown marker %#x", marker)
}

func (d *decoder) text(size int) (string, error) {
	raw, err := d.take(size)
	return string(raw), err
}

func (d *decoder) list(size, depth int) ([]any, error) {
	// Every item takes a byte at least: a larger size is a lie that would only cost memory.
	if size > len(d.rest) {
		return nil, errShort
	}
	out := make([]any, 0, size)
	for range size {
		item, err := d.value(depth + 1)
		if err != nil {
			return nil, err
		}
		out = append(out, item)
	}
	return out, nil
}

func (d *decoder) dictionary(size, depth int) (map[string]any, error) {
	out := make(map[string]any)
	for range size {
		key, err := d.value(depth + 1)
		if err != nil {
			return nil, err
		}
		name, ok := key.(string)
		if !ok {
			return nil, fmt.Errorf("packstream: a dictionary key is %T, not a string", key)
		}
		if out[name], err = d.value(depth + 1); err != nil {
			return nil, err
		}
	}
	return out, nil
}
