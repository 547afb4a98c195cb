// Copyright The otelaudit Authors
// SPDX-License-Identifier: Apache-2.0

package jwks_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/MicahParks/jwkset"
	"github.com/MicahParks/keyfunc/v3"
	"github.com/golang-jwt/jwt/v5"
	sdklog "go.opentelemetry.io/otel/sdk/log"

	"github.com/otelaudit/go/otelaudit"
	"github.com/otelaudit/go/otelaudit/audittest"
	"github.com/otelaudit/go/otelaudit/jwks"
)

// What the URL of every server has besides its host; none of it may be recorded.
const (
	secretUser  = "jwks-client-0815"
	secretPass  = "correct-horse-battery"
	secretPath  = "tenant-4711-keys.json"
	secretQuery = "api-key-deadbeef-42"
)

// server is an HTTP server of a key set whose answer can be changed.
type server struct {
	*httptest.Server
	answer atomic.Pointer[http.HandlerFunc]
	hits   atomic.Int64
}

func newServer(t testing.TB, keys ...jwkset.JWKMarshal) *server {
	t.Helper()
	s := &server{}
	s.serve(keys...)
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.hits.Add(1)
		(*s.answer.Load())(w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *server) url() string {
	return strings.Replace(s.URL, "http://", "http://"+secretUser+":"+secretPass+"@", 1) +
		"/" + secretPath + "?key=" + secretQuery
}

func (s *server) serve(keys ...jwkset.JWKMarshal) {
	body, err := json.Marshal(jwkset.JWKSMarshal{Keys: append([]jwkset.JWKMarshal{}, keys...)})
	if err != nil {
		panic(err)
	}
	s.handle(text(http.StatusOK, string(body)))
}

func (s *server) handle(h http.HandlerFunc) { s.answer.Store(&h) }

func text(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}
}

// hang answers when the client gave up.
func hang(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }

// key is a key pair. Each has its own material.
type key struct {
	private *ecdsa.PrivateKey
	jwkset.JWKMarshal
}

func newKey(t testing.TB, kid string) key {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key{private, marshal(t, &private.PublicKey, kid)}
}

func marshal(t testing.TB, public any, kid string) jwkset.JWKMarshal {
	t.Helper()
	jwk, err := jwkset.NewJWKFromKey(public, jwkset.JWKOptions{
		Marshal: jwkset.JWKMarshalOptions{Private: true}, Metadata: jwkset.JWKMetadataOptions{KID: kid},
	})
	if err != nil {
		t.Fatal(err)
	}
	return jwk.Marshal()
}

var rsaKey = sync.OnceValue(func() *rsa.PrivateKey {
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return private
})

func (k key) sign(t testing.TB) string {
	t.Helper()
	token := jwt.NewWithClaims(jwt.SigningMethodES256, jwt.RegisteredClaims{
		Subject: "alice", ExpiresAt: jwt.NewNumericDate(time.Now().Add(time.Hour)),
	})
	if k.KID != "" {
		token.Header["kid"] = k.KID
	}
	raw, err := token.SignedString(k.private)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// header is a token as a keyfunc sees it.
func header(alg string, kid any) *jwt.Token {
	h := map[string]any{"alg": alg}
	if kid != nil {
		h["kid"] = kid
	}
	return &jwt.Token{Header: h}
}

// newRecorder returns a recorder that ends with a search for the secrets of URLs.
func newRecorder(t testing.TB) *audittest.Recorder {
	t.Helper()
	r := audittest.NewRecorder(t)
	t.Cleanup(func() { noSecrets(t, r) })
	return r
}

func noSecrets(t testing.TB, r *audittest.Recorder, more ...string) {
	t.Helper()
	audittest.NoSecrets(t, r, append(more, secretUser, secretPass, secretPath, secretQuery)...)
}

func noSecretsIn(t testing.TB, err error, more ...string) {
	t.Helper()
	audittest.NoSecretsIn(t, err.Error(), append(more, secretUser, secretPass, secretPath, secretQuery)...)
}

// open starts a keyfunc on servers. It ends with the test.
func open(t testing.TB, r *audittest.Recorder, servers []*server, opts ...jwks.Option) keyfunc.Keyfunc {
	t.Helper()
	urls := make([]string, len(servers))
	for i, s := range servers {
		urls[i] = s.url()
	}
	k, err := jwks.New(t.Context(), r.Auditor(), urls, append([]jwks.Option{
		jwks.WithClient(servers[0].Client()), jwks.WithMeterProvider(r.Meters),
	}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// eventually waits for what another goroutine does.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Fatalf("%s: not within 20 seconds", what)
}

func refreshes(r *audittest.Recorder) []sdklog.Record { return r.Records(otelaudit.EventJWKSRefresh) }

// event waits for n refresh events and returns the last.
func event(t testing.TB, r *audittest.Recorder, n int) sdklog.Record {
	t.Helper()
	eventually(t, "refresh event", func() bool { return len(refreshes(r)) >= n })
	if got := refreshes(r); len(got) != n {
		t.Fatalf("refresh events = %d, want %d", len(got), n)
	}
	return refreshes(r)[n-1]
}

func checkReason(t testing.TB, err error, want otelaudit.Reason) {
	t.Helper()
	if got, ok := otelaudit.ReasonOf(err); !ok || got != want {
		t.Errorf("reason = %s, %v, want %s", string(got), ok, string(want))
		return
	}
	for _, is := range []error{want, keyfunc.ErrKeyfunc} {
		if !errors.Is(err, is) {
			t.Errorf("errors.Is(err, %v) = false, want true", is)
		}
	}
}
