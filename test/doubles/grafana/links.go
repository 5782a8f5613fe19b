package grafana

import "net/http"

// listLinks answers GET /double/links: 200 with every link between data sources when each
// leads to one that exists and fits, else 409. Grafana itself would show a dead link.
//
//	{"links":[{"from":"orch-loki","field":"derivedFields[0]","to":"orch-jaeger"}]}
func (s *Server) listLinks(w http.ResponseWriter, _ *http.Request) {
	links, dead := []link{}, 0
	for _, ds := range s.store.datasources() {
		data, err := kinds[ds.Type].decodeJSONData(ds.JSONData)
		if err != nil {
			s.answer(w, http.StatusInternalServerError, map[string]any{"message": err.Error()})
			return
		}
		for _, next := range data.links() {
			next.From = ds.UID
			switch target, exists := s.store.datasource(next.To); {
			case !exists:
				next.Problem = "no data source has this uid"
			case target.Type != next.want:
				next.Problem = "is of type " + target.Type + ", want " + next.want
			}
			if next.Problem != "" {
				dead++
			}
			links = append(links, next)
		}
	}
	if dead > 0 {
		s.answer(w, http.StatusConflict, map[string]any{"message": "links lead nowhere", "links": links})
		return
	}
	s.answer(w, http.StatusOK, map[string]any{"links": links})
}
