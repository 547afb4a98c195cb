// Copyright The otelaudit Authors
// SPDX-License-Identifier: Apache-2.0

package jwks_test

import (
	"net/http"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/otelaudit/go/otelaudit"
	"github.com/otelaudit/go/otelaudit/audittest"
)

// point is a data point of a metric: the number of measurements, or the value.
type point struct {
	value float64
	attrs attribute.Set
}

func points(r *audittest.Recorder, name string) (out []point) {
	for _, scope := range r.Metrics().ScopeMetrics {
		for _, m := range scope.Metrics {
			if m.Name != name || scope.Scope.Name != otelaudit.ScopeName {
				continue
			}
			switch d := m.Data.(type) {
			case metricdata.Histogram[float64]:
				for _, p := range d.DataPoints {
					out = append(out, point{float64(p.Count), p.Attributes})
				}
			case metricdata.Gauge[int64]:
				for _, p := range d.DataPoints {
					out = append(out, point{float64(p.Value), p.Attributes})
				}
			case metricdata.Gauge[float64]:
				for _, p := range d.DataPoints {
					out = append(out, point{p.Value, p.Attributes})
				}
			}
		}
	}
	return out
}

// fetches is how many fetches were measured with an error.type, "" for success.
func fetches(r *audittest.Recorder, errorType string) (n int) {
	for _, p := range points(r, "otelaudit.jwks.fetch.duration") {
		if v, _ := p.attrs.Value("error.type"); v.AsString() == errorType {
			n += int(p.value)
		}
	}
	return n
}

func TestMetrics(t *testing.T) {
	r := newRecorder(t)
	up, twin, down := newServer(t, newKey(t, "a").JWKMarshal, newKey(t, "b").JWKMarshal), newServer(t, newKey(t, "c").JWKMarshal), newServer(t)
	down.handle(text(http.StatusInternalServerError, ""))
	down.URL = strings.Replace(down.URL, "127.0.0.1", "localhost", 1)
	open(t, r, []*server{up, twin, down})

	set := func(kv ...attribute.KeyValue) attribute.Set { return attribute.NewSet(kv...) }
	one, other := attribute.String("server.address", "127.0.0.1"), attribute.String("server.address", "localhost")
	for _, tt := range []struct {
		name string
		want map[attribute.Set]float64
	}{
		{"otelaudit.jwks.fetch.duration", map[attribute.Set]float64{
			set(one): 2, set(other, attribute.String("error.type", "jwks_unavailable")): 1,
		}},
		{"otelaudit.jwks.keys", map[attribute.Set]float64{set(one): 3, set(other): 0}},
	} {
		got := map[attribute.Set]float64{}
		for _, p := range points(r, tt.name) {
			got[p.attrs] = p.value
		}
		if len(got) != len(tt.want) {
			t.Errorf("%s: %d series, want %d", tt.name, len(got), len(tt.want))
		}
		for attrs, want := range tt.want {
			if got[attrs] != want {
				t.Errorf("%s%v = %v, want %v", tt.name, attrs.ToSlice(), got[attrs], want)
			}
		}
	}
	age := points(r, "otelaudit.jwks.age")
	if len(age) != 1 || age[0].attrs != set(one) || age[0].value < 0 || age[0].value > 60 {
		t.Errorf("otelaudit.jwks.age = %v, want that of the server which answered", age)
	}
}
