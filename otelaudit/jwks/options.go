// Copyright The otelaudit Authors
// SPDX-License-Identifier: Apache-2.0

package jwks

import (
	"errors"
	"net/http"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/metric"
)

// The defaults.
const (
	defaultRefreshInterval   = time.Hour
	defaultUnknownKeyRefresh = 30 * time.Second
	defaultUnknownKeyWait    = time.Second
	defaultTimeout           = 10 * time.Second
	defaultMaxBytes          = 1 << 20
)

// Option configures [New].
type Option interface{ apply(config) (config, error) }

type optionFunc func(config) (config, error)

func (f optionFunc) apply(c config) (config, error) { return f(c) }

type config struct {
	client       *http.Client
	interval     time.Duration
	unknownEvery time.Duration
	unknownWait  time.Duration
	timeout      time.Duration
	maxBytes     int64
	meters       metric.MeterProvider
	requireFirst bool
}

func newConfig(opts []Option) (config, error) {
	c := config{
		client:       http.DefaultClient,
		interval:     defaultRefreshInterval,
		unknownEvery: defaultUnknownKeyRefresh,
		unknownWait:  defaultUnknownKeyWait,
		timeout:      defaultTimeout,
		maxBytes:     defaultMaxBytes,
	}
	var errs []error
	for _, o := range opts {
		if o == nil {
			continue
		}
		next, err := o.apply(c)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		c = next
	}
	if c.meters == nil {
		c.meters = otel.GetMeterProvider()
	}
	return c, errors.Join(errs...)
}

// WithClient sets the client that fetches the keys. It is copied: its transport, cookie
// jar, timeout and redirect policy apply, after those of this package. The default is
// http.DefaultClient.
func WithClient(client *http.Client) Option {
	return optionFunc(func(c config) (config, error) {
		if client == nil {
			return c, errors.New("jwks: nil client")
		}
		c.client = client
		return c, nil
	})
}

// WithRefreshInterval sets how often the keys are fetched. It bounds how long a
// revoked key is accepted while its server answers. The default is 1 hour.
func WithRefreshInterval(every time.Duration) Option {
	return optionFunc(func(c config) (config, error) {
		if every <= 0 {
			return c, errors.New("jwks: the refresh interval must be positive")
		}
		c.interval = every
		return c, nil
	})
}

// WithUnknownKeyRefresh sets how often at most the keys are fetched because a token has
// an unknown key id. Every such fetch takes in all keys, so that a rotation is noticed
// within this time even while an attacker uses up the limit. The default is 30 seconds.
func WithUnknownKeyRefresh(every time.Duration) Option {
	return optionFunc(func(c config) (config, error) {
		if every <= 0 {
			return c, errors.New("jwks: the interval of refreshes for unknown keys must be positive")
		}
		c.unknownEvery = every
		return c, nil
	})
}

// WithUnknownKeyWait sets how long a token with an unknown key id waits for a refresh
// at most; zero never waits. The refresh goes on without it. The default is 1 second.
func WithUnknownKeyWait(d time.Duration) Option {
	return optionFunc(func(c config) (config, error) {
		if d < 0 {
			return c, errors.New("jwks: the wait for unknown keys must not be negative")
		}
		c.unknownWait = d
		return c, nil
	})
}

// WithTimeout sets how long one fetch takes at most, from the connection to the last
// byte, redirects included. The default is 10 seconds.
func WithTimeout(d time.Duration) Option {
	return optionFunc(func(c config) (config, error) {
		if d <= 0 {
			return c, errors.New("jwks: the timeout must be positive")
		}
		c.timeout = d
		return c, nil
	})
}

// WithMaxBytes sets the size of a response, uncompressed and in bytes, beyond which
// it is not read and the fetch fails. The default is 1 MiB.
func WithMaxBytes(n int64) Option {
	return optionFunc(func(c config) (config, error) {
		if n <= 0 {
			return c, errors.New("jwks: the size limit must be positive")
		}
		c.maxBytes = n
		return c, nil
	})
}

// WithMeterProvider sets where metrics go. The default is the global provider.
func WithMeterProvider(p metric.MeterProvider) Option {
	return optionFunc(func(c config) (config, error) {
		if p == nil {
			return c, errors.New("jwks: nil meter provider")
		}
		c.meters = p
		return c, nil
	})
}

// WithRequireFirstFetch makes [New] fail, with a [*FetchError] for each server, unless
// all of them answered. The default is to start without keys and to fetch them later.
func WithRequireFirstFetch() Option {
	return optionFunc(func(c config) (config, error) { c.requireFirst = true; return c, nil })
}
