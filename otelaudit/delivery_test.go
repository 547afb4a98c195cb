// Copyright The otelaudit Authors
// SPDX-License-Identifier: Apache-2.0

package otelaudit_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/golang-jwt/jwt/v5"
	"go.opentelemetry.io/otel/attribute"
	sdklog "go.opentelemetry.io/otel/sdk/log"
	"go.uber.org/goleak"

	"github.com/otelaudit/go/otelaudit"
	"github.com/otelaudit/go/otelaudit/audittest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var login = otelaudit.Login{Method: "password", UserID: "alice"}

func TestFailClosed(t *testing.T) {
	full := errors.New("disk is full")
	stock := sdklog.NewLoggerProvider(sdklog.WithProcessor(sdklog.NewBatchProcessor(discard{})))
	defer func() { _ = stock.Shutdown(context.Background()) }()
	closed := sdklog.NewLoggerProvider(sdklog.WithProcessor(discard{}))
	_ = closed.Shutdown(context.Background())
	for _, tt := range []struct {
		name string
		opts []otelaudit.Option
		deny error
		want bool
	}{
		{"acknowledged", []otelaudit.Option{otelaudit.WithFailClosed()}, nil, false},
		{"refused", []otelaudit.Option{otelaudit.WithFailClosed()}, full, true},
		{"stock pipeline does not answer", []otelaudit.Option{otelaudit.WithFailClosed(), otelaudit.WithLoggerProvider(stock)}, nil, true},
		{"closed provider", []otelaudit.Option{otelaudit.WithFailClosed(), otelaudit.WithLoggerProvider(closed)}, nil, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := audittest.NewRecorder(t)
			r.RefuseWith(tt.deny)
			a := r.Auditor(tt.opts...)
			err := a.Login(context.Background(), login)
			if got := errors.Is(err, otelaudit.ErrNotDurable); got != tt.want {
				t.Errorf("Login() = %v, want ErrNotDurable: %v", err, tt.want)
			}
			if tt.deny != nil && !errors.Is(err, full) {
				t.Errorf("Login() = %v, want %v in its chain", err, full)
			}
			raw := signed(t, jwt.SigningMethodHS256, hmacKey, jwt.MapClaims{"sub": "alice"})
			tok, err := a.NewParser().Parse(context.Background(), raw, func(*jwt.Token) (any, error) { return hmacKey, nil })
			if (err != nil) != tt.want || tok.Valid == tt.want {
				t.Errorf("Parse() = valid %v, %v, want failure: %v", tok.Valid, err, tt.want)
			}
			issued, err := a.SignedString(context.Background(), jwt.New(jwt.SigningMethodHS256), hmacKey)
			if (err != nil) != tt.want || (issued == "") != tt.want {
				t.Errorf("SignedString() = %d bytes, %v, want failure: %v", len(issued), err, tt.want)
			}
		})
	}
}

func TestOpenGoesOn(t *testing.T) {
	r := audittest.NewRecorder(t)
	r.RefuseWith(errors.New("disk is full"))
	raw := signed(t, jwt.SigningMethodHS256, hmacKey, jwt.MapClaims{"sub": "alice"})
	tok, err := r.Auditor().NewParser().Parse(context.Background(), raw, func(*jwt.Token) (any, error) { return hmacKey, nil })
	if err != nil || !tok.Valid {
		t.Errorf("Parse() = %v, want a valid token", err)
	}
}

func TestCancelledAndNilContext(t *testing.T) {
	r := audittest.NewRecorder(t)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for _, ctx := range []context.Context{ctx, nil} {
		if err := r.Auditor().Login(ctx, login); err != nil {
			t.Errorf("Login() = %v, want nil", err)
		}
	}
	if got := len(r.Records(otelaudit.EventLogin)); got != 2 {
		t.Errorf("events = %d, want 2", got)
	}
}

func TestHostAttributes(t *testing.T) {
	const password = "correct-horse-battery"
	for _, tt := range []struct {
		key, value string
		bad        bool
		want       string
	}{
		{"tenant", "acme", false, "acme"},
		{"", "x", true, ""},
		{"12.3", "x", true, ""},
		{"otelaudit.outcome", "x", true, ""},
		{"user.id", "root", true, "alice"},
		{"db.password", password, false, "[REDACTED]"},
		{"note", "line\nbreak", false, `line\u000abreak`},
		{"note", "Bearer " + password, false, "Bearer [REDACTED]"},
	} {
		t.Run(tt.key, func(t *testing.T) {
			r := audittest.NewRecorder(t)
			l := login
			l.Attributes = []attribute.KeyValue{attribute.String(tt.key, tt.value)}
			err := r.Auditor().Login(context.Background(), l)
			var bad *otelaudit.AttributeError
			if errors.As(err, &bad) != tt.bad {
				t.Errorf("Login() = %v, want an AttributeError: %v", err, tt.bad)
			}
			if got := audittest.Attrs(r.Records("")[0])[attribute.Key(tt.key)].AsString(); tt.key != "otelaudit.outcome" && got != tt.want {
				t.Errorf("%s = %q, want %q", tt.key, got, tt.want)
			}
			audittest.NoSecrets(t, r, password)
		})
	}
}

func TestPseudonym(t *testing.T) {
	r := audittest.NewRecorder(t)
	a := r.Auditor(otelaudit.WithPseudonymKey("k1", []byte("pseudonym-key-16")))
	if err := a.Login(context.Background(), login); err != nil {
		t.Fatal(err)
	}
	attrs := audittest.Attrs(r.Records("")[0])
	if got := attrs["user.hash"].AsString(); !strings.HasPrefix(got, "k1:") || len(got) != 35 {
		t.Errorf("user.hash = %q, want k1: and 32 digits", got)
	}
	audittest.NoSecrets(t, r, "alice", "pseudonym-key-16")
	if _, err := otelaudit.New(otelaudit.WithPseudonymKey("k1", []byte("short"))); err == nil {
		t.Error("New() = nil, want an error for a short key")
	}
}

func TestEmitConcurrentSafe(t *testing.T) {
	r := audittest.NewRecorder(t)
	a := r.Auditor()
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			for range 50 {
				_ = a.Login(context.Background(), login)
			}
		})
	}
	wg.Wait()
	uids := map[string]bool{}
	for _, rec := range r.Records("") {
		uids[audittest.Attrs(rec)["log.record.uid"].AsString()] = true
	}
	if len(uids) != 800 {
		t.Errorf("distinct uids = %d, want 800", len(uids))
	}
}
