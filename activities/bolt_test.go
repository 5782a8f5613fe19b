package activities_test

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"maps"
	"math"
	"net"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// Messages of Bolt 5.
const (
	boltHello, boltLogon, boltGoodbye, boltReset = 0x01, 0x6A, 0x02, 0x0F
	boltRun, boltPull                            = 0x10, 0x3F
	boltSuccess, boltRecord, boltFailure         = 0x70, 0x71, 0x7F
)

// neo4jDouble speaks Bolt 5.4 with password and rate limit, and the statements that orch runs. Others fail the test.
type neo4jDouble struct {
	t       *testing.T
	address string

	mu       sync.Mutex
	password string
	refused  int // logins in a row
	nodes    []any
	immortal bool // what is there cannot be deleted
}

func newNeo4jDouble(t *testing.T) *neo4jDouble {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	n := &neo4jDouble{t: t, address: listener.Addr().String(), password: "right-password"}
	var served sync.WaitGroup
	served.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			served.Go(func() {
				defer conn.Close()
				n.serve(bufio.NewReadWriter(bufio.NewReader(conn), bufio.NewWriter(conn)))
			})
		}
	})
	t.Cleanup(func() {
		listener.Close()
		served.Wait()
	})
	return n
}

// boltFault is what Neo4j answers a request with that it does not carry out.
type boltFault struct{ code, message string }

func (n *neo4jDouble) serve(conn *bufio.ReadWriter) {
	hello := make([]byte, 20)
	if _, err := io.ReadFull(conn, hello); err != nil || binary.BigEndian.Uint32(hello) != 0x6060B017 {
		return
	}
	_, _ = conn.Write([]byte{0, 0, 4, 5})
	_ = conn.Flush()
	var rows [][]any
	var fields []any
	for {
		tag, arguments, err := readMessage(conn)
		if err != nil || tag == boltGoodbye {
			return
		}
		var fault *boltFault
		meta := map[string]any{}
		switch tag {
		case boltHello:
			meta = map[string]any{"server": "Neo4j/5.26.0", "connection_id": "bolt-1"}
		case boltLogon:
			auth, _ := arguments[0].(map[string]any)
			fault = n.login(auth["principal"], auth["credentials"])
		case boltReset:
		case boltRun:
			statement, _ := arguments[0].(string)
			params, _ := arguments[1].(map[string]any)
			extra, _ := arguments[2].(map[string]any)
			if fields, rows, fault = n.execute(extra["db"], statement, params); fault == nil {
				meta["fields"] = fields
			}
		case boltPull:
			for _, row := range rows {
				writeMessage(conn, boltRecord, row)
			}
			meta["type"] = "rw"
		default:
			n.t.Errorf("unexpected Bolt message %#x", tag)
			return
		}
		if fault != nil {
			writeMessage(conn, boltFailure, map[string]any{"code": fault.code, "message": fault.message})
		} else {
			writeMessage(conn, boltSuccess, meta)
		}
		_ = conn.Flush()
	}
}

func (n *neo4jDouble) login(user, password any) *boltFault {
	n.mu.Lock()
	defer n.mu.Unlock()
	switch {
	case n.refused >= 3:
		return &boltFault{"Neo.ClientError.Security.AuthenticationRateLimit", "The client has provided incorrect authentication details too many times in a row."}
	case user != "neo4j" || password != n.password:
		n.refused++
		return &boltFault{"Neo.ClientError.Security.Unauthorized", "The client is unauthorized due to authentication failure."}
	}
	n.refused = 0
	return nil
}

func (n *neo4jDouble) execute(database any, statement string, params map[string]any) (fields []any, rows [][]any, fault *boltFault) {
	n.mu.Lock()
	defer n.mu.Unlock()
	switch {
	case database == nil && statement == "CREATE (n:OrchProbe {marker: $marker})":
		n.nodes = append(n.nodes, params["marker"])
	case database == nil && statement == "MATCH (n:OrchProbe {marker: $marker}) DETACH DELETE n":
		if n.immortal && len(n.nodes) > 0 {
			return nil, nil, &boltFault{"Neo.DatabaseError.General.UnknownError", "disk is full"}
		}
		n.nodes = slices.DeleteFunc(n.nodes, func(mark any) bool { return mark == params["marker"] })
	case database == nil && statement == "MATCH (n:OrchProbe {marker: $marker}) RETURN n.marker AS marker":
		fields = []any{"marker"}
		for _, mark := range n.nodes {
			if mark == params["marker"] {
				rows = append(rows, []any{mark})
			}
		}
	case database == "system" && statement == "ALTER CURRENT USER SET PASSWORD FROM $old TO $new":
		next, _ := params["new"].(string)
		if params["old"] != n.password || len(next) < 8 {
			return nil, nil, &boltFault{"Neo.ClientError.Statement.ArgumentError", "A password must be at least 8 characters."}
		}
		n.password = next
	default:
		n.t.Errorf("unexpected statement in %v: %s", database, statement)
	}
	return fields, rows, nil
}

// readMessage joins the chunks of one message and unpacks it.
func readMessage(r io.Reader) (tag byte, arguments []any, err error) {
	var message []byte
	for {
		var size uint16
		if err := binary.Read(r, binary.BigEndian, &size); err != nil {
			return 0, nil, err
		}
		if size == 0 {
			if len(message) == 0 {
				continue // keep-alive
			}
			break
		}
		chunk := make([]byte, size)
		if _, err := io.ReadFull(r, chunk); err != nil {
			return 0, nil, err
		}
		message = append(message, chunk...)
	}
	p := &packed{message[2:]}
	for range message[0] & 0x0F {
		arguments = append(arguments, p.value())
	}
	return message[1], arguments, nil
}

func writeMessage(w io.Writer, tag byte, argument any) {
	message := pack([]byte{0xB1, tag}, argument)
	_ = binary.Write(w, binary.BigEndian, uint16(len(message)))
	_, _ = w.Write(append(message, 0, 0))
}

// packed is PackStream being read. A message that is cut short panics, which fails the test.
type packed struct{ rest []byte }

func (p *packed) take(n int) []byte {
	out := p.rest[:n]
	p.rest = p.rest[n:]
	return out
}

func (p *packed) value() any {
	marker := p.take(1)[0]
	switch {
	case marker == 0xC0:
		return nil
	case marker == 0xC2 || marker == 0xC3:
		return marker == 0xC3
	case marker == 0xC1:
		return math.Float64frombits(binary.BigEndian.Uint64(p.take(8)))
	case marker == 0xC8:
		return int64(int8(p.take(1)[0]))
	case marker == 0xC9:
		return int64(int16(binary.BigEndian.Uint16(p.take(2))))
	case marker < 0x80 || marker >= 0xF0:
		return int64(int8(marker))
	case marker&0xF0 == 0x80:
		return string(p.take(int(marker & 0x0F)))
	case marker == 0xD0:
		return string(p.take(int(p.take(1)[0])))
	case marker&0xF0 == 0x90:
		list := []any{}
		for range marker & 0x0F {
			list = append(list, p.value())
		}
		return list
	case marker&0xF0 == 0xA0:
		object := map[string]any{}
		for range marker & 0x0F {
			key, _ := p.value().(string)
			object[key] = p.value()
		}
		return object
	}
	panic(fmt.Sprintf("PackStream marker %#x is not known here", marker))
}

func pack(to []byte, value any) []byte {
	switch v := value.(type) {
	case string:
		return append(append(to, 0xD0, byte(len(v))), v...)
	case []any:
		to = append(to, 0x90|byte(len(v)))
		for _, item := range v {
			to = pack(to, item)
		}
		return to
	case map[string]any:
		to = append(to, 0xA0|byte(len(v)))
		for _, key := range slices.Sorted(maps.Keys(v)) {
			to = pack(pack(to, key), v[key])
		}
		return to
	}
	panic(fmt.Sprintf("%T is not packed here", value))
}
