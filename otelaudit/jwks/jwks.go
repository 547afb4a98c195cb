// Copyright The otelaudit Authors
// SPDX-License-Identifier: Apache-2.0

package jwks

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"sync"

	"github.com/MicahParks/jwkset"
	"github.com/MicahParks/keyfunc/v3"
	"golang.org/x/time/rate"

	"github.com/otelaudit/go/otelaudit"
)

// New fetches the JWK sets (RFC 7517, section 5) at urls, concurrently, and returns a
// keyfunc.Keyfunc that finds keys in all of them. It blocks for the first fetch, at
// most as long as [WithTimeout] says; that this fails is an event and not an error, unless
// [WithRequireFirstFetch] is given. The keys are fetched again at an interval, and
// when a token's key id is unknown, until ctx ends; then the last keys remain.
//
// The errors of the keyfunc tell why there is no key, by an otelaudit.Reason in their
// chain, beside keyfunc.ErrKeyfunc: ReasonKidUnknown, ReasonKidUnknownRateLimited,
// ReasonJWKSUnavailable, ReasonAlgJWKMismatch, ReasonKeyUseInvalid or
// ReasonKidNotString. The first three have jwkset.ErrKeyNotFound too, and
// ReasonJWKSUnavailable the [*FetchError]. No text of an error holds a part of the token.
//
// A token without a key id is checked with all keys that fit its algorithm. Keys that are
// not for signatures (RFC 7517, sections 4.2 and 4.3) verify nothing.
//
// The result is safe for concurrent use. Keys written to its Storage() stay until they
// are deleted there, and found before those of servers. The delivery of events is not
// waited for: see [otelaudit.Auditor.KeyRefresh]. The texts of New's own
// errors do not hold the urls, which may have credentials.
func New(ctx context.Context, auditor *otelaudit.Auditor, urls []string, opts ...Option) (keyfunc.Keyfunc, error) {
	if ctx == nil {
		ctx = context.Background()
	}
	c, err := newConfig(opts)
	errs := []error{err}
	if auditor == nil {
		errs = append(errs, errors.New("jwks: nil auditor"))
	}
	hosts, err := hostsOf(urls)
	if err := errors.Join(append(errs, err)...); err != nil {
		return nil, err
	}
	s := &keyset{
		ctx:     ctx,
		auditor: auditor,
		limiter: rate.NewLimiter(rate.Every(c.unknownEvery), 1),
		wait:    c.unknownWait,
		given:   jwkset.NewMemoryStorage(),
	}
	s.current.Store(newIndex())
	client := guard(c.client, c.maxBytes)
	memories := make(map[string]jwkset.Storage, len(urls))
	for i, u := range urls {
		if _, twice := memories[u]; twice {
			continue
		}
		src := &source{
			set: s, url: u, host: hosts[i], client: client, timeout: c.timeout,
			memory: jwkset.NewMemoryStorage(),
		}
		s.sources = append(s.sources, src)
		memories[u] = src.memory
	}
	if s.all, err = jwkset.NewHTTPClient(jwkset.HTTPClientOptions{Given: s.given, HTTPURLs: memories}); err != nil {
		return nil, fmt.Errorf("jwks: cannot compose the storages: %w", err)
	}
	if s.metrics, err = newMetrics(c.meters, s.sources); err != nil {
		return nil, err
	}
	faults := s.fetch(ctx)
	if c.requireFirst && len(faults) > 0 {
		s.metrics.unregister()
		return nil, errors.Join(faults...)
	}
	go s.schedule(c.interval)
	return s, nil
}

// fetch fetches all sources and returns the *FetchError of each that failed.
func (s *keyset) fetch(ctx context.Context) []error {
	faults := make([]error, len(s.sources))
	var wg sync.WaitGroup
	for i, src := range s.sources {
		wg.Go(func() {
			if fault := src.fetch(ctx); fault != nil {
				faults[i] = fault
			}
		})
	}
	wg.Wait()
	return slices.DeleteFunc(faults, func(err error) bool { return err == nil })
}

// hostsOf checks urls and returns the host of each, without port.
func hostsOf(urls []string) ([]string, error) {
	if len(urls) == 0 {
		return nil, errors.New("jwks: no URL")
	}
	hosts := make([]string, len(urls))
	var errs []error
	for i, raw := range urls {
		u, err := url.ParseRequestURI(raw)
		switch {
		case err != nil: // its text has the URL
			errs = append(errs, fmt.Errorf("jwks: URL %d of %d cannot be parsed", i+1, len(urls)))
		case u.Scheme != "http" && u.Scheme != "https":
			errs = append(errs, fmt.Errorf("jwks: URL %d of %d is not of scheme https or http", i+1, len(urls)))
		case u.Hostname() == "":
			errs = append(errs, fmt.Errorf("jwks: URL %d of %d has no host", i+1, len(urls)))
		default:
			hosts[i] = u.Hostname()
		}
	}
	return hosts, errors.Join(errs...)
}
