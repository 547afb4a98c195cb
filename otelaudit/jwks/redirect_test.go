// Copyright The otelaudit Authors
// SPDX-License-Identifier: Apache-2.0

package jwks_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"

	"github.com/otelaudit/go/otelaudit"
	"github.com/otelaudit/go/otelaudit/jwks"
)

func TestRedirectFromTLS(t *testing.T) {
	r := newRecorder(t)
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "http://"+r.Host, http.StatusFound)
	}))
	defer s.Close()
	_, err := jwks.New(t.Context(), r.Auditor(), []string{s.URL}, jwks.WithClient(s.Client()), jwks.WithRequireFirstFetch())
	if !errors.Is(err, jwks.ErrRedirect) {
		t.Errorf("New() = %v, want %v", err, jwks.ErrRedirect)
	}
}

func TestRedirectOnTheSameServer(t *testing.T) {
	r := newRecorder(t)
	s := newServer(t)
	keys := newKey(t, "a").JWKMarshal
	s.handle(func(w http.ResponseWriter, req *http.Request) {
		s.serve(keys)
		http.Redirect(w, req, "/elsewhere", http.StatusFound)
	})
	client := s.Client()
	var asked []string
	client.CheckRedirect = func(req *http.Request, _ []*http.Request) error {
		asked = append(asked, req.URL.Path)
		return nil
	}
	transport := client.Transport
	open(t, r, []*server{s})
	checkEvent(t, event(t, r, 1), otelaudit.OutcomeSuccess, []string{"a"}, nil)
	if !slices.Equal(asked, []string{"/elsewhere"}) {
		t.Errorf("the client's policy was asked for %q, want /elsewhere", asked)
	}
	if client.Transport != transport {
		t.Error("the client was changed")
	}
}

// scripted is a transport that redirects from the first URL, and answers the others.
type scripted struct{ from, to string }

func (s scripted) RoundTrip(req *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	if req.URL.String() == s.from {
		http.Redirect(w, req, s.to, http.StatusMovedPermanently)
	} else {
		_, _ = w.WriteString(`{"keys":[]}`)
	}
	resp := w.Result()
	resp.Request = req
	return resp, nil
}

func TestWhichRedirects(t *testing.T) {
	for _, tt := range []struct {
		from, to string
		follow   bool
	}{
		{"http://a.test/keys", "https://a.test/keys", true},
		{"http://a.test:80/keys", "https://A.test:443/keys", true},
		{"https://a.test/keys", "https://a.test:443/other", true},
		{"https://a.test/keys", "http://a.test/keys", false},
		{"https://a.test/keys", "http://a.test:443/keys", false},
		{"http://a.test:8080/keys", "https://a.test/keys", false},
		{"https://a.test/keys", "https://a.test:8443/keys", false},
		{"https://a.test/keys", "https://b.test/keys", false},
		{"https://a.test/keys", "https://a.test.b.test/keys", false},
		{"https://a.test/keys", "https://a.test@b.test/keys", false},
	} {
		t.Run(tt.from+" to "+tt.to, func(t *testing.T) {
			r := newRecorder(t)
			_, err := jwks.New(t.Context(), r.Auditor(), []string{tt.from},
				jwks.WithClient(&http.Client{Transport: scripted{tt.from, tt.to}}), jwks.WithRequireFirstFetch())
			if tt.follow && err != nil || !tt.follow && !errors.Is(err, jwks.ErrRedirect) {
				t.Errorf("New() = %v, want followed = %v", err, tt.follow)
			}
		})
	}
}
