package otlphttp

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
)

// Media types of OTLP/HTTP.
const (
	JSON     = "application/json"
	Protobuf = "application/x-protobuf"
)

// maxBody is the limit of the real Collector's OTLP receiver (20 MiB).
const maxBody = 20 << 20

// ErrMediaType says that a request is neither JSON nor protobuf; the answer is 415.
var ErrMediaType = errors.New("content type is neither " + JSON + " nor " + Protobuf)

// Read decodes the body of an OTLP/HTTP request into data, gzip included, and returns its
// media type.
func Read(r *http.Request, data proto.Message) (string, error) {
	mediaType, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || (mediaType != JSON && mediaType != Protobuf) {
		return "", fmt.Errorf("%w: %q", ErrMediaType, r.Header.Get("Content-Type"))
	}
	body := io.Reader(http.MaxBytesReader(nil, r.Body, maxBody))
	switch encoding := r.Header.Get("Content-Encoding"); encoding {
	case "", "identity":
	case "gzip":
		if body, err = gzip.NewReader(body); err != nil {
			return "", fmt.Errorf("open gzip body: %w", err)
		}
		body = io.LimitReader(body, maxBody)
	default:
		return "", fmt.Errorf("%w: content encoding %q", ErrMediaType, encoding)
	}
	raw, err := io.ReadAll(body)
	if err != nil {
		return "", fmt.Errorf("read body: %w", err)
	}
	return mediaType, Unmarshal(mediaType, raw, data)
}

// Unmarshal decodes raw, which is JSON or protobuf by mediaType, into data.
func Unmarshal(mediaType string, raw []byte, data proto.Message) error {
	if mediaType == Protobuf {
		if err := proto.Unmarshal(raw, data); err != nil {
			return fmt.Errorf("decode OTLP protobuf: %w", err)
		}
		return nil
	}
	canonical, err := hexIDsToBase64(raw)
	if err != nil {
		return fmt.Errorf("decode OTLP JSON: %w", err)
	}
	if err := protojson.Unmarshal(canonical, data); err != nil {
		return fmt.Errorf("decode OTLP JSON: %w", err)
	}
	return nil
}

// idFields are the fields that OTLP/JSON writes in hexadecimal where the protobuf JSON
// mapping wants base64.
var idFields = map[string]bool{"traceId": true, "spanId": true, "parentSpanId": true}

func hexIDsToBase64(raw []byte) ([]byte, error) {
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	var tree any
	if err := dec.Decode(&tree); err != nil {
		return nil, err
	}
	if err := rewriteIDs(tree); err != nil {
		return nil, err
	}
	return json.Marshal(tree)
}

func rewriteIDs(node any) error {
	switch value := node.(type) {
	case []any:
		for _, item := range value {
			if err := rewriteIDs(item); err != nil {
				return err
			}
		}
	case map[string]any:
		for key, item := range value {
			text, isText := item.(string)
			if !isText || !idFields[key] {
				if err := rewriteIDs(item); err != nil {
					return err
				}
				continue
			}
			id, err := hex.DecodeString(text)
			if err != nil {
				return fmt.Errorf("%s %q is not hexadecimal: %w", key, text, err)
			}
			value[key] = base64.StdEncoding.EncodeToString(id)
		}
	}
	return nil
}
