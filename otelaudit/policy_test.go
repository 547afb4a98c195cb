// Copyright The otelaudit Authors
// SPDX-License-Identifier: Apache-2.0

package otelaudit_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/otelaudit/go/otelaudit"
	"github.com/otelaudit/go/otelaudit/audittest"
)

func guardedPadded(t *testing.T, a *otelaudit.Auditor, s otelaudit.Store) *otelaudit.Parser {
	t.Helper()
	p, err := a.NewParser(jwt.WithPaddingAllowed()).With(otelaudit.WithStore(s))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

type deadStore struct{ call func(context.Context) error }

func (s deadStore) Use(ctx context.Context, _ string, _ otelaudit.Sighting, _ time.Time) (otelaudit.Memory, error) {
	return otelaudit.Memory{}, s.call(ctx)
}

func (s deadStore) Revoke(ctx context.Context, _ string, _ time.Time) error { return s.call(ctx) }

func guarded(t *testing.T, a *otelaudit.Auditor, opts ...otelaudit.ParserOption) *otelaudit.Parser {
	t.Helper()
	p, err := a.NewParser().With(opts...)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestParserOptionErrors(t *testing.T) {
	a := audittest.NewRecorder(t).Auditor()
	for name, o := range map[string]otelaudit.ParserOption{
		"unknown finding":    otelaudit.WithEnforcedFindings("nonsense\x1b"),
		"no type":            otelaudit.WithTokenType(),
		"empty type":         otelaudit.WithTokenType("JWT", ""),
		"no lifetime":        otelaudit.WithMaxLifetime(0),
		"nil store":          otelaudit.WithStore(nil),
		"single use alone":   otelaudit.WithSingleUse(),
		"fail open alone":    otelaudit.WithStoreFailOpen(),
		"nil option is none": nil,
	} {
		p, err := a.NewParser().With(o)
		if (err == nil) != (o == nil) || (p == nil) != (err != nil) {
			t.Errorf("%s: With() = %v, %v", name, p, err)
		}
		if err != nil && strings.ContainsRune(err.Error(), 0x1b) {
			t.Errorf("%s: error %q is not escaped", name, err)
		}
	}
}

func TestWithLeavesTheParserAlone(t *testing.T) {
	r := audittest.NewRecorder(t)
	plain := r.Auditor().NewParser()
	if _, err := plain.With(otelaudit.WithTokenType("at+jwt")); err != nil {
		t.Fatal(err)
	}
	raw := signed(t, jwt.SigningMethodHS256, hmacKey, jwt.MapClaims{"sub": "alice"})
	if _, err := plain.Parse(context.Background(), raw, ownKey); err != nil {
		t.Errorf("Parse() = %v, want nil", err)
	}
}

func TestRefusalError(t *testing.T) {
	r := audittest.NewRecorder(t)
	p := guarded(t, r.Auditor(), otelaudit.WithTokenType("at+jwt"), otelaudit.WithEnforcedFindings(otelaudit.FindingExpMissing))
	raw := signed(t, jwt.SigningMethodHS256, hmacKey, jwt.MapClaims{"sub": "alice"})
	tok, err := p.Parse(context.Background(), raw, ownKey)
	if tok == nil || tok.Valid {
		t.Errorf("token = %v, want an invalid one", tok)
	}
	for _, want := range []error{jwt.ErrTokenInvalidClaims, otelaudit.ReasonTypeMismatch, otelaudit.ReasonExpMissing} {
		if !errors.Is(err, want) {
			t.Errorf("%v is not in the chain of %v", want, err)
		}
	}
	if reason, ok := otelaudit.ReasonOf(err); !ok || reason != otelaudit.ReasonTypeMismatch {
		t.Errorf("ReasonOf() = %q, %v, want %q", reason, ok, otelaudit.ReasonTypeMismatch)
	}
	if want := "otelaudit: token refused: type_mismatch, exp_missing"; err.Error() != want {
		t.Errorf("error = %q, want %q", err, want)
	}
	audittest.NoSecrets(t, r, raw)
}

// TestStoreFaults: whatever the store does, the parser answers within its limit, and refuses
// unless it was told to go on.
func TestStoreFaults(t *testing.T) {
	raw := signed(t, jwt.SigningMethodHS256, hmacKey, jwt.MapClaims{"sub": "alice", "exp": time.Now().Add(time.Hour).Unix()})
	for name, call := range map[string]func(context.Context) error{
		"fails":  func(context.Context) error { return errors.New("connection refused") },
		"hangs":  func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() },
		"panics": func(context.Context) error { panic("store") },
	} {
		t.Run(name, func(t *testing.T) {
			r := audittest.NewRecorder(t)
			a := r.Auditor()
			closed := guarded(t, a, otelaudit.WithStore(deadStore{call}))
			tok, err := closed.Parse(context.Background(), raw, ownKey)
			if tok.Valid || !errors.Is(err, otelaudit.ReasonStoreUnavailable) || !errors.Is(err, jwt.ErrTokenUnverifiable) {
				t.Errorf("Parse() = valid %v, %v, want store_unavailable", tok.Valid, err)
			}
			open := guarded(t, a, otelaudit.WithStore(deadStore{call}), otelaudit.WithStoreFailOpen())
			if tok, err := open.Parse(context.Background(), raw, ownKey); err != nil || !tok.Valid {
				t.Errorf("Parse() = %v, want nil", err)
			}
			if err := a.Revocation(context.Background(), otelaudit.Revocation{TokenID: "t-1", Store: deadStore{call}}); !errors.Is(err, otelaudit.ReasonStoreUnavailable) {
				t.Errorf("Revocation() = %v, want store_unavailable", err)
			}
			records := r.Records(otelaudit.EventTokenRevocation)
			if got := audittest.Attrs(records[0])["error.type"].AsString(); got != "store_unavailable" {
				t.Errorf("error.type = %q, want store_unavailable", got)
			}
			audittest.NoSecrets(t, r, raw)
		})
	}
}

// TestRevoke revokes a token that a parser of the same store had accepted.
func TestRevoke(t *testing.T) {
	r := audittest.NewRecorder(t)
	a := r.Auditor()
	store := otelaudit.NewMemoryStore(0)
	p := guarded(t, a, otelaudit.WithStore(store))
	ctx := context.Background()
	exp := time.Now().Add(time.Hour)
	for _, claims := range []jwt.MapClaims{
		{"iss": "https://id.example", "jti": "t-1", "sub": "alice", "exp": exp.Unix()},
		{"sub": "alice", "exp": exp.Unix()},
		{"iss": "https://id.example", "jti": 4711, "exp": exp.Unix()},
		{"sub": "alice", "exp": exp.Unix(), "pad": strings.Repeat("x", 2*otelaudit.MaxTokenSize)},
	} {
		raw := signed(t, jwt.SigningMethodHS256, hmacKey, claims)
		if _, err := p.Parse(ctx, raw, ownKey); err != nil {
			t.Fatalf("Parse() = %v, want nil", err)
		}
		iss, _ := claims["iss"].(string)
		jti := ""
		if id, ok := claims["jti"]; ok {
			jti = fmt.Sprint(id)
		}
		rev := otelaudit.Revocation{Store: store, Issuer: iss, TokenID: jti, Fingerprint: a.Fingerprint(raw), ExpiresAt: exp}
		if err := a.Revocation(ctx, rev); err != nil {
			t.Fatalf("Revocation() = %v, want nil", err)
		}
		if tok, err := p.Parse(ctx, raw, ownKey); !errors.Is(err, otelaudit.ReasonTokenRevoked) || tok.Valid {
			t.Errorf("Parse() = %v, want token_revoked", err)
		}
		// Another spelling of the same token is the same token.
		if tok, err := guardedPadded(t, a, store).Parse(ctx, raw+strings.Repeat("=", (4-len(raw[strings.LastIndexByte(raw, '.')+1:])%4)%4), ownKey); !errors.Is(err, otelaudit.ReasonTokenRevoked) || tok.Valid {
			t.Errorf("Parse() of the padded token = %v, want token_revoked", err)
		}
		audittest.NoSecrets(t, r, raw)
	}
	if err := a.Revocation(ctx, otelaudit.Revocation{Store: store}); !errors.Is(err, otelaudit.ReasonConfigError) {
		t.Errorf("Revocation() of nothing = %v, want config_error", err)
	}
}

// moody are claims whose getter panics after the validation.
type moody struct {
	jwt.RegisteredClaims
	calls int
}

func (m *moody) GetSubject() (string, error) {
	m.calls++
	panic("no subject")
}

// TestUnjudgedToken: a token that could not be looked at passes a plain parser, as it passes
// golang-jwt, but none that demands something of it.
func TestUnjudgedToken(t *testing.T) {
	r := audittest.NewRecorder(t)
	a := r.Auditor()
	raw := signed(t, jwt.SigningMethodHS256, hmacKey, jwt.MapClaims{"sub": "alice"})
	if _, err := a.NewParser().ParseWithClaims(context.Background(), raw, &moody{}, ownKey); err != nil {
		t.Errorf("ParseWithClaims() = %v, want nil", err)
	}
	p := guarded(t, a, otelaudit.WithEnforcedFindings(otelaudit.FindingHeaderJWK))
	if tok, err := p.ParseWithClaims(context.Background(), raw, &moody{}, ownKey); !errors.Is(err, otelaudit.ReasonPanic) || tok.Valid {
		t.Errorf("ParseWithClaims() = %v, want panic", err)
	}
}

func TestTokenKey(t *testing.T) {
	a := audittest.NewRecorder(t).Auditor()
	seen := map[string]otelaudit.TokenInfo{}
	for _, info := range []otelaudit.TokenInfo{
		{Issuer: "a", ID: "bc"}, {Issuer: "ab", ID: "c"}, {Issuer: "1:a", ID: "c"}, {ID: "abc"}, {Fingerprint: "abc"}, {},
	} {
		key := a.TokenKey(info)
		if other, ok := seen[key]; ok {
			t.Errorf("%+v and %+v have the same key", info, other)
		}
		seen[key] = info
	}
}

// TestSpellingsAreLookedAt: however golang-jwt lets a token be spelled, it is the same token, and what
// is enforced holds.
func TestSpellingsAreLookedAt(t *testing.T) {
	r := audittest.NewRecorder(t)
	a := r.Auditor()
	p, err := a.NewParser(jwt.WithPaddingAllowed()).With(otelaudit.WithEnforcedFindings(otelaudit.FindingJSONDuplicateMember))
	if err != nil {
		t.Fatal(err)
	}
	head, body := b64(`{"alg":"HS256"} `), b64(`{"sub":"alice","sub":"root","x":"yz"}`)
	for _, pad := range []string{"", "=", "==", "=\n=", "\n==", "==\n", "=\r\n=", "\r\n"} {
		text := head + "." + body + pad
		sig, err := jwt.SigningMethodHS256.Sign(text, hmacKey)
		if err != nil {
			t.Fatal(err)
		}
		raw := text + "." + b64(string(sig))
		if _, err := jwt.NewParser(jwt.WithPaddingAllowed()).Parse(raw, ownKey); err != nil {
			continue // golang-jwt does not take it
		}
		tok, err := p.Parse(context.Background(), raw, ownKey)
		if !errors.Is(err, otelaudit.ReasonJSONDuplicateMember) || tok.Valid {
			t.Errorf("padding %q: Parse() = %v, want json_duplicate_member", pad, err)
		}
		if got := a.Fingerprint(raw); got != a.Fingerprint(head+"."+body+".") {
			t.Errorf("padding %q: another fingerprint", pad)
		}
	}
}
