// Copyright The otelaudit Authors
// SPDX-License-Identifier: Apache-2.0

package jwks_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/MicahParks/jwkset"
	sdklog "go.opentelemetry.io/otel/sdk/log"

	"github.com/otelaudit/go/otelaudit"
	"github.com/otelaudit/go/otelaudit/audittest"
	"github.com/otelaudit/go/otelaudit/jwks"
)

// unknownID is a key id as an attacker would choose it.
const unknownID = "x\nlevel=info msg=accepted sub=admin"

func checkUnknown(t *testing.T, err error, want otelaudit.Reason) {
	t.Helper()
	checkReason(t, err, want)
	if !errors.Is(err, jwkset.ErrKeyNotFound) {
		t.Error("errors.Is(err, jwkset.ErrKeyNotFound) = false, want true")
	}
	noSecretsIn(t, err, unknownID, "sub=admin")
	if got, ok := jwks.Reason(err); got != want || !ok {
		t.Errorf("jwks.Reason() = %s, want %s", string(got), string(want))
	}
}

func TestUnknownKey(t *testing.T) {
	r := newRecorder(t)
	s := newServer(t, newKey(t, "a").JWKMarshal)
	k := open(t, r, []*server{s})

	_, err := k.Keyfunc(header("ES256", unknownID))
	checkUnknown(t, err, otelaudit.ReasonKidUnknown)
	_, err = k.Keyfunc(header("ES256", unknownID))
	checkUnknown(t, err, otelaudit.ReasonKidUnknownRateLimited)
	if got := s.hits.Load(); got != 2 {
		t.Errorf("requests = %d, want 2", got)
	}
	event(t, r, 1) // nothing changed
}

func TestUnknownKeyDuringOutage(t *testing.T) {
	r := newRecorder(t)
	s := newServer(t, newKey(t, "a").JWKMarshal)
	k := open(t, r, []*server{s})
	s.handle(text(http.StatusBadGateway, ""))

	for _, when := range []string{"the refresh fails", "the keys are stale"} {
		t.Run(when, func(t *testing.T) {
			_, err := k.Keyfunc(header("ES256", unknownID))
			checkUnknown(t, err, otelaudit.ReasonJWKSUnavailable)
			var fault *jwks.FetchError
			if !errors.As(err, &fault) || fault.Status != http.StatusBadGateway || fault.Server != "127.0.0.1" {
				t.Errorf("fault = %+v, want status 502 of 127.0.0.1", fault)
			}
		})
	}
	checkEvent(t, event(t, r, 2), otelaudit.OutcomeError, nil, nil)
	if _, err := k.Keyfunc(header("ES256", "a")); err != nil {
		t.Errorf("Keyfunc(a) = %v, want nil", err)
	}
}

func TestStartDuringOutage(t *testing.T) {
	r := newRecorder(t)
	s := newServer(t)
	s.handle(text(http.StatusBadGateway, ""))
	k := open(t, r, []*server{s}, jwks.WithUnknownKeyRefresh(time.Millisecond))
	checkEvent(t, event(t, r, 1), otelaudit.OutcomeError, nil, nil)
	for _, kid := range []any{nil, "a"} {
		_, err := k.Keyfunc(header("ES256", kid))
		checkUnknown(t, err, otelaudit.ReasonJWKSUnavailable)
	}
	if _, err := k.VerificationKeySet(t.Context()); err == nil {
		t.Error("VerificationKeySet() = nil, want an error")
	}

	// The first token that can be verified brings the keys, with and without a key id.
	s.serve(newKey(t, "a").JWKMarshal)
	eventually(t, "recovery", func() bool {
		_, err := k.Keyfunc(header("ES256", nil))
		return err == nil
	})
	last := func() sdklog.Record { all := refreshes(r); return all[len(all)-1] }
	eventually(t, "the event", func() bool { return audittest.Attrs(last())["otelaudit.outcome"].AsString() == "success" })
	checkEvent(t, last(), otelaudit.OutcomeSuccess, []string{"a"}, nil)
}

func TestEmptySet(t *testing.T) {
	r := newRecorder(t)
	k := open(t, r, []*server{newServer(t)}, jwks.WithRequireFirstFetch())
	checkEvent(t, event(t, r, 1), otelaudit.OutcomeSuccess, nil, nil)
	_, err := k.Keyfunc(header("ES256", nil))
	checkUnknown(t, err, otelaudit.ReasonJWKSUnavailable)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err = k.KeyfuncCtx(ctx)(header("ES256", nil)); !errors.Is(err, context.Canceled) {
		t.Errorf("KeyfuncCtx(canceled) = %v, want %v", err, context.Canceled)
	}
}

func TestRotationDuringAttack(t *testing.T) {
	r := newRecorder(t)
	s := newServer(t, newKey(t, "a").JWKMarshal)
	k := open(t, r, []*server{s}, jwks.WithUnknownKeyRefresh(20*time.Millisecond))
	stop, attacked := make(chan struct{}), make(chan struct{})
	var attackers sync.WaitGroup
	var first sync.Once
	for range 4 {
		attackers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					if _, err := k.Keyfunc(header("ES256", unknownID)); err == nil {
						t.Error("an unknown key id has a key")
					}
					first.Do(func() { close(attacked) })
				}
			}
		})
	}
	<-attacked
	s.serve(newKey(t, "b").JWKMarshal)
	eventually(t, "the new key", func() bool {
		_, err := k.Keyfunc(header("ES256", "b"))
		return err == nil
	})
	close(stop)
	attackers.Wait()
	checkEvent(t, event(t, r, 2), otelaudit.OutcomeSuccess, []string{"b"}, []string{"a"})
}

// TestFlood holds the refresh that 50 attackers wait for. That known keys are found
// before it is let go proves that they do not wait for it, whatever the clock says.
func TestFlood(t *testing.T) {
	r := newRecorder(t)
	a := newKey(t, "a")
	s := newServer(t, a.JWKMarshal)
	k := open(t, r, []*server{s}, jwks.WithUnknownKeyWait(time.Hour), jwks.WithTimeout(time.Hour))
	release := make(chan struct{})
	s.handle(func(w http.ResponseWriter, _ *http.Request) { <-release; w.WriteHeader(http.StatusBadGateway) })

	const attackers = 50
	errs := make(chan error, attackers)
	for i := range attackers {
		go func() {
			_, err := k.Keyfunc(header("ES256", fmt.Sprint(unknownID, i)))
			errs <- err
		}()
	}
	eventually(t, "the refresh", func() bool { return s.hits.Load() == 2 })
	start := time.Now()
	const known = 10_000
	for range known {
		if _, err := k.Keyfunc(header("ES256", "a")); err != nil {
			t.Fatalf("Keyfunc(a) = %v, want nil", err)
		}
	}
	parser := r.Auditor().NewParser()
	raw := a.sign(t)
	if _, err := parser.Parse(t.Context(), raw, k.Keyfunc); err != nil {
		t.Errorf("Parse() = %v, want nil", err)
	}
	t.Logf("%d known keys found in %v during the attack", known, time.Since(start))
	select {
	case err := <-errs:
		t.Errorf("an attacker got %v before the refresh ended", err)
	default:
	}
	close(release)
	for range attackers {
		// Who came after the refresh was refused another one: the last has failed.
		checkUnknown(t, <-errs, otelaudit.ReasonJWKSUnavailable)
	}
	if got := s.hits.Load(); got != 2 {
		t.Errorf("requests = %d, want 2", got)
	}
	event(t, r, 2)
	noSecrets(t, r, raw)
}

func TestRotationIsOneRefresh(t *testing.T) {
	r := newRecorder(t)
	s := newServer(t, newKey(t, "a").JWKMarshal)
	k := open(t, r, []*server{s}, jwks.WithUnknownKeyWait(time.Minute))
	s.serve(newKey(t, "b").JWKMarshal)
	ctx, span := r.Tracers.Tracer("test").Start(t.Context(), "request")
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			if _, err := k.KeyfuncCtx(ctx)(header("ES256", "b")); err != nil {
				t.Errorf("Keyfunc(b) = %v, want nil", err)
			}
		})
	}
	wg.Wait()
	if got := s.hits.Load(); got != 2 {
		t.Errorf("requests = %d, want 2", got)
	}
	rec := event(t, r, 2)
	if got := rec.TraceID(); got != span.SpanContext().TraceID() {
		t.Errorf("trace id = %v, want that of the request", got)
	}
	span.End()
}

func TestWaitIsBounded(t *testing.T) {
	ends := func(after time.Duration) func() (context.Context, context.CancelFunc) {
		return func() (context.Context, context.CancelFunc) {
			return context.WithTimeout(context.Background(), after)
		}
	}
	never := func() (context.Context, context.CancelFunc) { return context.WithCancel(context.Background()) }
	canceled := func() (context.Context, context.CancelFunc) {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		return ctx, cancel
	}
	for _, tt := range []struct {
		name  string
		ctx   func() (context.Context, context.CancelFunc)
		wait  time.Duration
		cause error
		hits  int64
	}{
		{"by the option", never, 20 * time.Millisecond, nil, 2},
		{"to nothing", never, 0, nil, 2},
		{"by the request", ends(20 * time.Millisecond), time.Hour, context.DeadlineExceeded, 2},
		{"by a request that ended", canceled, time.Hour, context.Canceled, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := newRecorder(t)
			s := newServer(t, newKey(t, "a").JWKMarshal)
			k := open(t, r, []*server{s}, jwks.WithUnknownKeyWait(tt.wait), jwks.WithTimeout(time.Hour))
			s.handle(hang)
			ctx, cancel := tt.ctx()
			defer cancel()
			_, err := k.KeyfuncCtx(ctx)(header("ES256", unknownID))
			checkUnknown(t, err, otelaudit.ReasonKidUnknownRateLimited)
			if tt.cause != nil && !errors.Is(err, tt.cause) {
				t.Errorf("errors.Is(err, %v) = false, want true", tt.cause)
			}
			eventually(t, "the requests", func() bool { return s.hits.Load() == tt.hits })
		})
	}
}

func TestOneServerHangs(t *testing.T) {
	r := newRecorder(t)
	fast, slow := newServer(t, newKey(t, "a").JWKMarshal), newServer(t, newKey(t, "z").JWKMarshal)
	k := open(t, r, []*server{slow, fast}, jwks.WithUnknownKeyWait(time.Hour), jwks.WithTimeout(time.Hour))
	fast.serve(newKey(t, "b").JWKMarshal)
	slow.handle(hang)
	for _, kid := range []string{"b", "z"} {
		if _, err := k.Keyfunc(header("ES256", kid)); err != nil {
			t.Errorf("Keyfunc(%s) = %v, want nil", kid, err)
		}
	}
	event(t, r, 3)
}

func TestParserSeesTheReasons(t *testing.T) {
	r := newRecorder(t)
	s := newServer(t, newKey(t, "a").JWKMarshal)
	k := open(t, r, []*server{s})
	raw := newKey(t, "unknown").sign(t)
	parser := r.Auditor().NewParser()
	for _, want := range []otelaudit.Reason{otelaudit.ReasonKidUnknown, otelaudit.ReasonKidUnknownRateLimited} {
		if _, err := parser.Parse(t.Context(), raw, k.KeyfuncCtx(t.Context())); err == nil || strings.Contains(err.Error(), "unknown\"") {
			t.Errorf("Parse() = %v, want an error without the key id", err)
		}
		records := r.Records(otelaudit.EventTokenValidation)
		if got := audittest.Attrs(records[len(records)-1])["error.type"].AsString(); got != string(want) {
			t.Errorf("error.type = %s, want %s", got, string(want))
		}
	}
	noSecrets(t, r, raw)
}
