// Copyright The otelaudit Authors
// SPDX-License-Identifier: Apache-2.0

package jwks

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/MicahParks/jwkset"
	"golang.org/x/time/rate"

	"github.com/otelaudit/go/otelaudit"
)

// source is one URL. Its fetches do not overlap: see flight.
type source struct {
	set     *keyset
	url     string
	host    string
	client  *http.Client
	timeout time.Duration
	memory  *jwkset.MemoryJWKSet
	remote  jwkset.Storage // nil until the first fetch

	mu      sync.Mutex
	known   keyIDs
	keys    int
	fetched time.Time // the last success, zero if none
	fault   *FetchError
}

// fetch is one request for the keys. It travels in the context, since jwkset hands
// that to all who take part.
type fetch struct {
	status  int
	err     error
	stored  bool
	changed bool
	change  otelaudit.KeyChange
}

type fetchKey struct{}

func fetchFrom(ctx context.Context) *fetch {
	f, _ := ctx.Value(fetchKey{}).(*fetch)
	return f
}

// fetch fetches the keys, emits an event if they changed or could not be fetched, and
// measures it. What the end of New's context interrupts is neither.
func (s *source) fetch(ctx context.Context) *FetchError {
	f := &fetch{}
	start := time.Now()
	s.ask(context.WithValue(ctx, fetchKey{}, f), f)
	elapsed := time.Since(start)
	var fault *FetchError
	if !f.stored {
		fault = newFetchError(s.host, f)
		if s.set.ctx.Err() != nil {
			return fault
		}
	}
	s.mu.Lock()
	s.fault = fault
	s.mu.Unlock()
	s.set.metrics.fetched(ctx, s.host, elapsed, fault != nil)
	f.change.Server = s.host
	switch {
	case fault != nil:
		_ = s.set.auditor.KeyRefresh(ctx, otelaudit.KeyRefresh{KeyChange: f.change, Err: fault})
	case f.changed:
		_ = s.set.auditor.KeyRefresh(ctx, otelaudit.KeyRefresh{KeyChange: f.change})
	}
	return fault
}

// ask makes jwkset do the request. A panic, of a transport of the host for example,
// must not end the process.
func (s *source) ask(ctx context.Context, f *fetch) {
	defer func() {
		if r := recover(); r != nil {
			f.err = errPanic
		}
	}()
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	var err error
	if s.remote == nil {
		err = s.open(ctx)
	} else {
		// jwkset refreshes for a key id that it does not find, and intake finds none.
		_, err = s.remote.KeyRead(ctx, "")
	}
	if f.err == nil && !f.stored {
		f.err = err
	}
}

// open does the first request. intake must be inside of what NewStorageFromHTTP
// returns, and that must go to NewHTTPClient as it is: around anything else NewHTTPClient
// does not refresh. The limit is the keyset's.
func (s *source) open(ctx context.Context) error {
	storage, err := jwkset.NewStorageFromHTTP(s.url, jwkset.HTTPClientStorageOptions{
		Client:                    s.client,
		Ctx:                       ctx,
		HTTPTimeout:               s.timeout,
		NoErrorReturnFirstHTTPReq: true,
		RefreshErrorHandler: func(ctx context.Context, err error) {
			if f := fetchFrom(ctx); f != nil {
				f.err = err
			}
		},
		Storage: intake{s.memory, s},
		// A key for another use must not make the whole set invalid. See verifies.
		ValidateOptions: jwkset.JWKValidateOptions{SkipUse: true, SkipKeyOps: true},
	})
	if err != nil {
		return fmt.Errorf("jwks: cannot open the storage: %w", err)
	}
	s.remote, err = jwkset.NewHTTPClient(jwkset.HTTPClientOptions{
		HTTPURLs:          map[string]jwkset.Storage{s.url: storage},
		RefreshUnknownKID: rate.NewLimiter(rate.Inf, 1),
	})
	return err
}

func (s *source) lastFault() *FetchError {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.fault
}

// state is what the metrics report.
func (s *source) state() (keys int, fetched time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.keys, s.fetched
}

// intake is the storage that jwkset fills with what it fetched.
type intake struct {
	*jwkset.MemoryJWKSet
	source *source
}

// KeyRead finds nothing during a fetch, so that jwkset makes the request.
func (i intake) KeyRead(ctx context.Context, keyID string) (jwkset.JWK, error) {
	if fetchFrom(ctx) != nil {
		return jwkset.JWK{}, jwkset.ErrKeyNotFound
	}
	return i.MemoryJWKSet.KeyRead(ctx, keyID)
}

// KeyReplaceAll takes the keys of a fetch and notes what changed.
func (i intake) KeyReplaceAll(ctx context.Context, keys []jwkset.JWK) error {
	if err := i.MemoryJWKSet.KeyReplaceAll(ctx, keys); err != nil {
		return err
	}
	s := i.source
	next := identify(keys)
	s.mu.Lock()
	first, last := s.fetched.IsZero(), s.known
	s.known, s.keys, s.fetched, s.fault = next, len(keys), time.Now(), nil
	s.mu.Unlock()
	if f := fetchFrom(ctx); f != nil {
		f.stored = true
		f.change.Added, f.change.Removed = next.since(last), last.since(next)
		f.changed = first || !next.equal(last)
	}
	s.set.reindex(ctx)
	return nil
}
