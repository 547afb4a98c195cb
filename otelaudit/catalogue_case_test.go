// Copyright The otelaudit Authors
// SPDX-License-Identifier: Apache-2.0

package otelaudit_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/otelaudit/go/otelaudit"
	"github.com/otelaudit/go/otelaudit/audittest"
)

// catalogueCase is one token, what it is checked with, and what must come of it. In
// testdata/catalogue.json it is enough to run the case against another library.
type catalogueCase struct {
	// Name is the file and section it comes from.
	Name string `json:"name"`
	// Code is the reason or finding that an attack must get and its benign twin must not.
	Code string `json:"code"`
	// Attack tells an attack from a benign twin.
	Attack bool   `json:"attack"`
	Token  string `json:"token"`
	// Keys are what the key lookup answers: see catalogueKey. Lookup is "panic", "unknown", "error" or empty.
	Keys   []catalogueKey `json:"keys,omitempty"`
	Lookup string         `json:"lookup,omitempty"`
	// Now is the time of validation, in seconds since the epoch.
	Now int64 `json:"now"`
	// Options are those of the parser: iss=, aud=, sub=, methods=, exp, iat, strict, json-number, padding;
	// type=, profile, max=, enforce=, store=, single, open; claims=registered, claims=custom, claims=nil.
	Options  []string `json:"options,omitempty"`
	Outcome  string   `json:"outcome"`
	Reasons  []string `json:"reasons,omitempty"`
	Findings []string `json:"findings,omitempty"`
}

// String is the outcome as the scenario files have it.
func (c *catalogueCase) String() string {
	out := c.Outcome
	if len(c.Reasons) > 0 {
		out += " " + strings.Join(c.Reasons, ",")
	}
	if len(c.Findings) > 0 {
		out += " with " + strings.Join(c.Findings, ",")
	}
	return out
}

func (c *catalogueCase) keyfunc(t *testing.T) jwt.Keyfunc {
	t.Helper()
	keys := make([]jwt.VerificationKey, 0, len(c.Keys))
	for _, k := range c.Keys {
		keys = append(keys, k.verification(t))
	}
	return func(*jwt.Token) (any, error) {
		switch {
		case c.Lookup == "panic":
			panic("the lookup panicked")
		case c.Lookup == "unknown":
			return nil, fmt.Errorf("looking the key up: %w", otelaudit.ReasonKidUnknown)
		case c.Lookup == "error":
			return nil, errors.New("the key file is gone")
		case len(keys) == 1:
			return keys[0], nil
		default:
			return jwt.VerificationKeySet{Keys: keys}, nil
		}
	}
}

func (c *catalogueCase) claims() jwt.Claims {
	switch {
	case slices.Contains(c.Options, "claims=registered"):
		return &jwt.RegisteredClaims{}
	case slices.Contains(c.Options, "claims=custom"):
		return &refusing{}
	case slices.Contains(c.Options, "claims=nil"):
		return nil
	default:
		return jwt.MapClaims{}
	}
}

// parserOptions are the options of golang-jwt, and those of this library.
func (c *catalogueCase) parserOptions(t *testing.T, a *otelaudit.Auditor) (opts []jwt.ParserOption, own []otelaudit.ParserOption) {
	t.Helper()
	opts = append(opts, jwt.WithTimeFunc(func() time.Time { return time.Unix(c.Now, 0) }))
	for _, o := range c.Options {
		name, value, _ := strings.Cut(o, "=")
		switch name {
		case "iss":
			opts = append(opts, jwt.WithIssuer(value))
		case "aud":
			opts = append(opts, jwt.WithAudience(value))
		case "sub":
			opts = append(opts, jwt.WithSubject(value))
		case "methods":
			opts = append(opts, jwt.WithValidMethods(strings.Split(value, "+")))
		case "exp":
			opts = append(opts, jwt.WithExpirationRequired())
		case "iat":
			opts = append(opts, jwt.WithIssuedAt())
		case "strict":
			opts = append(opts, jwt.WithStrictDecoding())
		case "json-number":
			opts = append(opts, jwt.WithJSONNumber())
		case "padding":
			opts = append(opts, jwt.WithPaddingAllowed())
		case "type":
			own = append(own, otelaudit.WithTokenType(value))
		case "profile":
			own = append(own, otelaudit.WithAccessTokenProfile())
		case "enforce":
			own = append(own, otelaudit.WithEnforcedFindings(otelaudit.Finding(value)))
		case "max":
			d, err := time.ParseDuration(value)
			if err != nil {
				t.Fatal(err)
			}
			own = append(own, otelaudit.WithMaxLifetime(d))
		case "store":
			own = append(own, otelaudit.WithStore(c.store(t, a, value)))
		case "single":
			own = append(own, otelaudit.WithSingleUse())
		case "open":
			own = append(own, otelaudit.WithStoreFailOpen())
		case "claims":
		default:
			t.Fatalf("%s: unknown option %q", c.Name, o)
		}
	}
	return opts, own
}

// store remembers the token of the scenarios, jti t-1, in one of several states.
func (c *catalogueCase) store(t *testing.T, a *otelaudit.Auditor, state string) otelaudit.Store {
	t.Helper()
	s := &oneTokenStore{key: a.TokenKey(otelaudit.TokenInfo{Issuer: "https://id.example", ID: "t-1"})}
	s.memory.Revoked = state == "revoked"
	s.memory.Used = state != "fresh"
	s.down = state == "down"
	if state == "elsewhere" {
		s.memory.First.Address = "another"
	}
	return s
}

// oneTokenStore knows one token.
type oneTokenStore struct {
	key    string
	memory otelaudit.Memory
	down   bool
}

func (s *oneTokenStore) Use(_ context.Context, key string, _ otelaudit.Sighting, _ time.Time) (otelaudit.Memory, error) {
	switch {
	case s.down:
		return otelaudit.Memory{}, errors.New("connection refused")
	case key != s.key:
		return otelaudit.Memory{}, nil
	default:
		return s.memory, nil
	}
}

func (s *oneTokenStore) Revoke(context.Context, string, time.Time) error { return nil }

// run fills in what comes of the case, and checks what holds for every one: the bare parser's
// result, one event, no secrets, and no identity from an unverified token.
func (c *catalogueCase) run(t *testing.T) {
	t.Helper()
	r := audittest.NewRecorder(t)
	a := r.Auditor(otelaudit.WithClock(func() time.Time { return time.Unix(c.Now, 0) }))
	opts, own := c.parserOptions(t, a)
	parser, err := a.NewParser(opts...).With(own...)
	if err != nil {
		t.Fatal(err)
	}
	ctx := otelaudit.ContextWithRequest(context.Background(), otelaudit.RequestInfo{ClientAddress: "192.0.2.1"})
	bare, barePanic, bareErr := call(func() (*jwt.Token, error) {
		return jwt.NewParser(opts...).ParseWithClaims(c.Token, c.claims(), c.keyfunc(t))
	})
	tok, panicked, err := call(func() (*jwt.Token, error) {
		return parser.ParseWithClaims(ctx, c.Token, c.claims(), c.keyfunc(t))
	})
	if panicked != barePanic {
		t.Errorf("panic = %v, want %v", panicked, barePanic)
	}
	var refused *otelaudit.RefusalError
	if errors.As(err, &refused) {
		if tok != nil && tok.Valid || bareErr != nil && tok != nil {
			t.Errorf("token = %v, bare error %v with a refusal", tok, bareErr)
		}
	} else {
		if fmt.Sprint(chain(err)) != fmt.Sprint(chain(bareErr)) {
			t.Errorf("error = %v, want the bare parser's %v", err, bareErr)
		}
		if (tok == nil) != (bare == nil) || tok != nil && (tok.Valid != bare.Valid || tok.Method != bare.Method) {
			t.Errorf("token = %v, want the bare parser's %v", tok, bare)
		}
	}
	records := r.Records(otelaudit.EventTokenValidation)
	if len(records) != 1 {
		t.Fatalf("events = %d, want 1", len(records))
	}
	attrs := audittest.Attrs(records[0])
	c.Outcome = attrs["otelaudit.outcome"].AsString()
	c.Findings = attrs["otelaudit.findings"].AsStringSlice()
	c.Reasons = attrs["otelaudit.reasons"].AsStringSlice()
	if first, ok := attrs["error.type"]; ok && c.Reasons == nil {
		c.Reasons = []string{first.AsString()}
	}
	if v, ok := attrs["otelaudit.token.signature_verified"]; ok && !v.AsBool() {
		if _, ok := attrs["user.id"]; ok {
			t.Error("user.id comes from an unverified token")
		}
	}
	if len(c.Token) > 16 {
		audittest.NoSecrets(t, r, c.Token)
	}
}

// check holds the case against what must be true of an attack and of a benign twin.
func (c *catalogueCase) check(t *testing.T) {
	t.Helper()
	if _, ok := otelaudit.ReasonOf(otelaudit.Reason(c.Code)); !ok {
		return // a corpus
	}
	got := slices.Contains(c.Reasons, c.Code) || slices.Contains(c.Findings, c.Code)
	if got != c.Attack {
		t.Errorf("%s = %v, attack %v", c, got, c.Attack)
	}
}

// parseCase reads a section of a scenario: lines "directive: value".
func parseCase(t *testing.T, code, section, text string) catalogueCase {
	t.Helper()
	c := catalogueCase{Name: code + "/" + section, Code: code, Attack: strings.HasPrefix(section, "attack"), Now: scenarioTime.Unix()}
	spec := map[string]string{}
	for line := range strings.Lines(text) {
		name, value, ok := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
		if !ok {
			t.Fatalf("%s: line %q has no colon", c.Name, line)
		}
		if strings.HasPrefix(value, "`") || strings.HasPrefix(value, `"\`) {
			unquoted, err := strconv.Unquote(value)
			if err != nil {
				t.Fatal(err)
			}
			value = unquoted
		}
		spec[name] = value
	}
	c.Options = strings.Fields(spec["options"])
	c.Lookup = spec["lookup"]
	if now := spec["now"]; now != "" {
		if err := json.Unmarshal([]byte(now), &c.Now); err != nil {
			t.Fatal(err)
		}
	}
	c.build(t, spec)
	return c
}
