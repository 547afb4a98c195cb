// Copyright The otelaudit Authors
// SPDX-License-Identifier: Apache-2.0

package jwks_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"testing"

	"go.opentelemetry.io/otel/metric/noop"

	"github.com/otelaudit/go/otelaudit"
	"github.com/otelaudit/go/otelaudit/audittest"
	"github.com/otelaudit/go/otelaudit/jwks"
)

// memory is a transport that answers with a body and counts what is read of it.
type memory struct {
	body   []byte
	read   int
	closed bool
}

func (m *memory) RoundTrip(req *http.Request) (*http.Response, error) {
	return &http.Response{
		StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{}, Body: &counted{bytes.NewReader(m.body), m}, ContentLength: -1, Request: req,
	}, nil
}

type counted struct {
	io.Reader
	m *memory
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.m.read += n
	return n, err
}

func (c *counted) Close() error { c.m.closed = true; return nil }

// FuzzBody answers with any body: a fetch succeeds or fails as a *FetchError, does not
// panic, and does not read beyond the limit.
func FuzzBody(f *testing.F) {
	for _, seed := range []string{
		``, `null`, `[]`, `{}`, `{"keys":[]}`, `{"keys":null}`, `{"keys":[null]}`, `{"keys":[{}]}`, `{"keys":[]} x`,
		`{"keys":[{"kty":"oct","k":"AAAA","kid":"a"},{"kty":"oct","k":"AAAB","kid":"a","use":"enc","key_ops":["x"]}]}`,
		`{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","alg":"EdDSA"}]}`,
		`{"keys":[{"kty":"RSA","n":"AQAB","e":"AQAB","kid":"\u0000\u202e"},{"kty":"RSA","n":"","e":"AA"}]}`,
		`{"keys":[{"kty":"EC","crv":"P-256","x":"AA","y":"AA"}]}`,
		`{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","x5c":["AA"],"x5u":"https://127.0.0.1/"}]}`,
	} {
		f.Add([]byte(seed))
	}
	const limit = 2048
	f.Fuzz(func(t *testing.T, body []byte) {
		m := &memory{body: body}
		r := audittest.NewRecorder(t)
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		k, err := jwks.New(ctx, r.Auditor(), []string{"http://127.0.0.1/"}, jwks.WithClient(&http.Client{Transport: m}),
			jwks.WithMaxBytes(limit), jwks.WithMeterProvider(noop.NewMeterProvider()), jwks.WithRequireFirstFetch())
		if m.read > limit+1 || !m.closed {
			t.Errorf("read %d bytes of the body, closed = %v, want at most the limit and closed", m.read, m.closed)
		}
		if got := len(r.Records(otelaudit.EventJWKSRefresh)); got != 1 {
			t.Errorf("refresh events = %d, want 1", got)
		}
		if err != nil {
			var fault *jwks.FetchError
			if !errors.As(err, &fault) {
				t.Errorf("New() = %v, want a *FetchError", err)
			}
			return
		}
		if len(body) > limit {
			t.Error("a body over the limit was accepted")
		}
		for _, alg := range []string{"HS256", "RS256", "ES256", "EdDSA"} {
			if _, err := k.Keyfunc(header(alg, nil)); err != nil {
				if _, ok := otelaudit.ReasonOf(err); !ok {
					t.Errorf("Keyfunc() = %v, want an error with a reason", err)
				}
			}
		}
	})
}
