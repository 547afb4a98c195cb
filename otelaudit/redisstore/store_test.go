// Copyright The otelaudit Authors
// SPDX-License-Identifier: Apache-2.0

package redisstore_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/redis/go-redis/v9"

	"github.com/otelaudit/go/otelaudit"
	"github.com/otelaudit/go/otelaudit/audittest"
	"github.com/otelaudit/go/otelaudit/redisstore"
)

func newStore(t testing.TB, c redis.UniversalClient, opts ...redisstore.Option) *redisstore.Store {
	t.Helper()
	s, err := redisstore.New(c, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestConformance(t *testing.T) {
	srv := newServer(t)
	audittest.StoreConformance(t, func(t *testing.T) otelaudit.Store {
		srv.flush()
		return newStore(t, srv.client())
	})
}

func TestNewErrors(t *testing.T) {
	if _, err := redisstore.New(nil); err == nil {
		t.Error("New(nil) = nil, want an error")
	}
	for _, c := range []redis.UniversalClient{
		redis.NewClient(&redis.Options{}), redis.NewClusterClient(&redis.ClusterOptions{}), redis.NewRing(&redis.RingOptions{}),
	} {
		if _, err := redisstore.New(c); err == nil || !strings.Contains(err.Error(), "ContextTimeoutEnabled") {
			t.Errorf("New(%T) = %v, want an error about deadlines", c, err)
		}
		_ = c.Close()
	}
	c := redis.NewClient(&redis.Options{ContextTimeoutEnabled: true})
	defer func() { _ = c.Close() }()
	if _, err := redisstore.New(c, redisstore.WithRetention(0)); err == nil {
		t.Error("New(WithRetention(0)) = nil, want an error")
	}
}

// TestNothingStaysForEver: whatever is stored has a time to live.
func TestNothingStaysForEver(t *testing.T) {
	srv := newServer(t)
	c := srv.client()
	s := newStore(t, c, redisstore.WithPrefix("p:"), redisstore.WithRetention(time.Hour))
	ctx := t.Context()
	for i, expires := range []time.Time{{}, time.Now().Add(time.Hour), time.Now().Add(-time.Hour), time.Now()} {
		key := fmt.Sprint("k", i)
		if err := s.Revoke(ctx, key+"r", expires); err != nil {
			t.Fatal(err)
		}
		for _, k := range []string{key, key + "r"} {
			if _, err := s.Use(ctx, k, otelaudit.Sighting{Address: "a"}, expires); err != nil {
				t.Fatal(err)
			}
		}
	}
	keys, err := c.Keys(ctx, "*").Result()
	if err != nil || len(keys) != 4 {
		t.Fatalf("keys = %q, %v, want 4", keys, err)
	}
	for _, k := range keys {
		ttl, err := c.PTTL(ctx, k).Result()
		if err != nil || ttl <= 0 || ttl > time.Hour || !strings.HasPrefix(k, "p:") {
			t.Errorf("%s lives %v, %v, want up to an hour", k, ttl, err)
		}
	}
}

// TestOutage: a server that was killed is an error at once, and works again when it is back.
func TestOutage(t *testing.T) {
	srv := newServer(t)
	s := newStore(t, srv.client())
	later := time.Now().Add(time.Hour)
	if _, err := s.Use(t.Context(), "k", otelaudit.Sighting{}, later); err != nil {
		t.Fatal(err)
	}
	srv.kill()
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	start := time.Now()
	if _, err := s.Use(ctx, "secret-key-name", otelaudit.Sighting{}, later); err == nil || strings.Contains(err.Error(), "secret-key-name") {
		t.Errorf("Use() = %v, want an error without the key", err)
	}
	if err := s.Revoke(ctx, "k", later); err == nil {
		t.Error("Revoke() = nil, want an error")
	}
	if d := time.Since(start); d > 5*time.Second {
		t.Errorf("the calls took %v, want them within the deadline", d)
	}
	srv.start()
	if m, err := s.Use(t.Context(), "k", otelaudit.Sighting{}, later); err != nil || m.Used {
		t.Errorf("Use() = %+v, %v, want a first use on the empty server", m, err)
	}
}

// TestServerRefuses: what the server refuses is an error, not a first use.
func TestServerRefuses(t *testing.T) {
	srv := newServer(t, "--maxmemory-policy", "noeviction")
	c := srv.client()
	s := newStore(t, c)
	ctx, later := t.Context(), time.Now().Add(time.Hour)
	if err := c.Set(ctx, "otelaudit:wrong", "a string", 0).Err(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Use(ctx, "wrong", otelaudit.Sighting{}, later); err == nil {
		t.Error("Use() of a key of another type = nil, want an error")
	}
	if err := c.ConfigSet(ctx, "maxmemory", "1").Err(); err != nil {
		t.Fatal(err)
	}
	if err := s.Revoke(ctx, "k", later); err == nil || !strings.Contains(err.Error(), "OOM") {
		t.Errorf("Revoke() on a full server = %v, want OOM", err)
	}
}

// TestACL: the permissions in the package's documentation are enough.
func TestACL(t *testing.T) {
	doc, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(doc), `"~otelaudit`)
	rules, _, _ := strings.Cut("~otelaudit"+rest, `"`)
	srv := newServer(t)
	args := []any{"ACL", "SETUSER", "audit", "on", ">test-only", "resetkeys"}
	for _, r := range strings.Fields(rules) {
		args = append(args, r)
	}
	if err := srv.client().Do(t.Context(), args...).Err(); err != nil {
		t.Fatal(err)
	}
	c := redis.NewClient(&redis.Options{Addr: srv.addr, Username: "audit", Password: "test-only", ContextTimeoutEnabled: true, DisableIdentity: true})
	t.Cleanup(func() { _ = c.Close() })
	s := newStore(t, c)
	later := time.Now().Add(time.Hour)
	if err := s.Revoke(t.Context(), "k", later); err != nil {
		t.Fatal(err)
	}
	if m, err := s.Use(t.Context(), "k", otelaudit.Sighting{}, later); err != nil || !m.Revoked {
		t.Errorf("Use() = %+v, %v, want it revoked", m, err)
	}
}

// TestParser: two processes share a revocation; without the server tokens are refused.
func TestParser(t *testing.T) {
	srv := newServer(t)
	key := []byte("a key of this test, 32 bytes long")
	raw, err := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{
		"iss": "https://id.example", "jti": "t-1", "sub": "alice", "exp": time.Now().Add(time.Hour).Unix(),
	}).SignedString(key)
	if err != nil {
		t.Fatal(err)
	}
	keyfunc := func(*jwt.Token) (any, error) { return key, nil }
	r := audittest.NewRecorder(t)
	a := r.Auditor()
	parser, err := a.NewParser().With(otelaudit.WithStore(newStore(t, srv.client())))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := parser.Parse(t.Context(), raw, keyfunc); err != nil {
		t.Fatalf("Parse() = %v, want nil", err)
	}
	other := r.Auditor()
	if err := other.Revocation(t.Context(), otelaudit.Revocation{
		Store: newStore(t, srv.client()), Issuer: "https://id.example", TokenID: "t-1", ExpiresAt: time.Now().Add(time.Hour),
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := parser.Parse(t.Context(), raw, keyfunc); !errors.Is(err, otelaudit.ReasonTokenRevoked) {
		t.Errorf("Parse() = %v, want token_revoked", err)
	}
	srv.kill()
	if tok, err := parser.Parse(t.Context(), raw, keyfunc); !errors.Is(err, otelaudit.ReasonStoreUnavailable) || tok.Valid {
		t.Errorf("Parse() = %v, want store_unavailable", err)
	}
	audittest.NoSecrets(t, r, raw, string(key))
}

func BenchmarkUse(b *testing.B) {
	srv := newServer(b)
	s := newStore(b, srv.client())
	later := time.Now().Add(time.Hour)
	by := otelaudit.Sighting{Address: "0123456789abcdef0123456789abcdef", Agent: "0123456789abcdef0123456789abcdef"}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Use(b.Context(), "k", by, later); err != nil {
			b.Fatal(err)
		}
	}
}
