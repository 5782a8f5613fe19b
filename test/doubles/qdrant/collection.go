package qdrant

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// collection is one collection with its points; it is also its file.
type collection struct {
	Vectors vectorParams     `json:"vectors"`
	Points  map[string]point `json:"points"`
	Version int64            `json:"version"`
}

type vectorParams struct {
	Size     int    `json:"size"`
	Distance string `json:"distance"`
	OnDisk   *bool  `json:"on_disk,omitempty"`
}

type point struct {
	ID      pointID        `json:"id"`
	Vector  []float64      `json:"vector"`
	Payload map[string]any `json:"payload"`
	Version int64          `json:"version"`
}

// distances scores two vectors; larger is nearer for the first two only.
var distances = map[string]struct {
	score  func(a, b []float64) float64
	larger bool
}{
	"Cosine":    {cosine, true},
	"Dot":       {dot, true},
	"Euclid":    {euclid, false},
	"Manhattan": {manhattan, false},
}

func dot(a, b []float64) float64 {
	sum := 0.0
	for i := range a {
		sum += a[i] * b[i]
	}
	return sum
}

func cosine(a, b []float64) float64 {
	if norm := math.Sqrt(dot(a, a) * dot(b, b)); norm > 0 {
		return dot(a, b) / norm
	}
	return 0
}

func euclid(a, b []float64) float64 {
	sum := 0.0
	for i := range a {
		sum += (a[i] - b[i]) * (a[i] - b[i])
	}
	return math.Sqrt(sum)
}

func manhattan(a, b []float64) float64 {
	sum := 0.0
	for i := range a {
		sum += math.Abs(a[i] - b[i])
	}
	return sum
}

// pointID is an unsigned integer or a UUID, kept as its JSON.
type pointID string

var uuidPattern = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)

// UnmarshalJSON implements json.Unmarshaler.
func (id *pointID) UnmarshalJSON(raw []byte) error {
	text := string(raw)
	if quoted, err := strconv.Unquote(text); err == nil {
		if !uuidPattern.MatchString(strings.ToLower(quoted)) {
			return fmt.Errorf("value %s is not a valid point ID, valid values are either an unsigned integer or a UUID", quoted)
		}
		*id = pointID(strconv.Quote(strings.ToLower(quoted)))
		return nil
	}
	if _, err := strconv.ParseUint(text, 10, 64); err != nil {
		return fmt.Errorf("value %s is not a valid point ID, valid values are either an unsigned integer or a UUID", text)
	}
	*id = pointID(text)
	return nil
}

// MarshalJSON implements json.Marshaler.
func (id pointID) MarshalJSON() ([]byte, error) { return []byte(id), nil }

// parseID reads the ID of a path.
func parseID(text string) (pointID, error) {
	var id pointID
	raw := text
	if _, err := strconv.ParseUint(text, 10, 64); err != nil {
		raw = strconv.Quote(text)
	}
	return id, id.UnmarshalJSON([]byte(raw))
}

func (p vectorParams) check() error {
	if _, known := distances[p.Distance]; !known {
		return fmt.Errorf("vectors.distance: unknown variant `%s`, expected one of `Cosine`, `Euclid`, `Dot`, `Manhattan`", p.Distance)
	}
	if p.Size < 1 || p.Size > 65536 {
		return fmt.Errorf("vectors.size: value %d invalid, must be from 1 to 65536", p.Size)
	}
	return nil
}

func (c *collection) checkVector(vector []float64) error {
	if len(vector) != c.Vectors.Size {
		return fmt.Errorf("Wrong input: Vector dimension error: expected dim: %d, got %d", c.Vectors.Size, len(vector)) //nolint:staticcheck // Qdrant's own words.
	}
	return nil
}

func (c *collection) clone() *collection {
	out := *c
	out.Points = make(map[string]point, len(c.Points))
	for id, p := range c.Points {
		out.Points[id] = p
	}
	return &out
}

// upsert replaces points as a whole, payload included.
func (c *collection) upsert(points []point) error {
	c.Version++
	for _, p := range points {
		if err := c.checkVector(p.Vector); err != nil {
			return err
		}
		if p.ID == "" {
			return fmt.Errorf("points: missing field `id`")
		}
		p.Version = c.Version
		c.Points[string(p.ID)] = p
	}
	return nil
}

// hit is one row of an answer; what was not asked for is left out.
type hit struct {
	ID      pointID        `json:"id"`
	Version *int64         `json:"version,omitempty"`
	Score   *float64       `json:"score,omitempty"`
	Payload map[string]any `json:"payload,omitempty"`
	Vector  []float64      `json:"vector,omitempty"`
}

func (p point) hit(withPayload, withVector bool) hit {
	out := hit{ID: p.ID}
	if withPayload {
		out.Payload = p.Payload
		if out.Payload == nil {
			out.Payload = map[string]any{}
		}
	}
	if withVector {
		out.Vector = p.Vector
	}
	return out
}

// searchRequest is the body of points/query; the query is a vector or the ID of a point.
type searchRequest struct {
	Query          json.RawMessage `json:"query"`
	Limit          *int            `json:"limit"`
	Offset         int             `json:"offset"`
	WithPayload    bool            `json:"with_payload"`
	WithVector     bool            `json:"with_vector"`
	ScoreThreshold *float64        `json:"score_threshold"`
}

func (c *collection) search(request searchRequest) ([]hit, error) {
	limit := 10
	if request.Limit != nil {
		limit = *request.Limit
	}
	if limit < 1 || request.Offset < 0 {
		return nil, fmt.Errorf("limit: value %d invalid, must be 1 or larger", limit)
	}
	vector, self, err := c.queryVector(request.Query)
	if err != nil {
		return nil, err
	}
	measure := distances[c.Vectors.Distance]
	hits := []hit{}
	for _, p := range c.Points {
		row := p.hit(request.WithPayload, request.WithVector)
		score := 0.0
		if vector != nil {
			if p.ID == self {
				continue
			}
			score = measure.score(vector, p.Vector)
		}
		if t := request.ScoreThreshold; t != nil && ((measure.larger && score < *t) || (!measure.larger && score > *t)) {
			continue
		}
		row.Score, row.Version = &score, &p.Version
		hits = append(hits, row)
	}
	slices.SortFunc(hits, func(a, b hit) int {
		order := cmp.Compare(*a.Score, *b.Score)
		if measure.larger {
			order = -order
		}
		if order == 0 {
			order = cmp.Compare(a.ID, b.ID)
		}
		return order
	})
	from := min(request.Offset, len(hits))
	return hits[from:min(from+limit, len(hits))], nil
}

// queryVector returns the vector to compare with, nil without a query, and the ID to leave
// out when the query is a point of the collection.
func (c *collection) queryVector(query json.RawMessage) (vector []float64, self pointID, err error) {
	if len(query) == 0 || string(query) == "null" {
		return nil, "", nil
	}
	if json.Unmarshal(query, &vector) == nil {
		return vector, "", c.checkVector(vector)
	}
	if err := self.UnmarshalJSON(query); err != nil {
		return nil, "", fmt.Errorf("query: the Qdrant double knows a vector or the ID of a point: %w", err)
	}
	p, exists := c.Points[string(self)]
	if !exists {
		return nil, "", fmt.Errorf("Not found: No point with id %s found", self) //nolint:staticcheck // Qdrant's own words.
	}
	return p.Vector, self, nil
}
