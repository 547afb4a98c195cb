// Copyright The otelaudit Authors
// SPDX-License-Identifier: Apache-2.0

package otelaudit

import (
	"errors"
	"fmt"
	"net/netip"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/log"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"
)

// Option configures an [Auditor].
type Option interface{ apply(config) (config, error) }

type optionFunc func(config) (config, error)

func (f optionFunc) apply(c config) (config, error) { return f(c) }

type config struct {
	loggers        log.LoggerProvider
	tracers        trace.TracerProvider
	meters         metric.MeterProvider
	pseudonymKeyID string
	pseudonymKey   Secret
	failClosed     bool
	spanEvents     bool
	claimed        bool
	filter         func(Event) bool
	classifiers    []func(error) (Reason, bool)
	proxies        []netip.Prefix
	clock          func() time.Time
}

func newConfig(opts []Option) (config, error) {
	c := config{spanEvents: true, clock: time.Now}
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
	if c.loggers == nil {
		c.loggers = otel.GetLoggerProvider()
	}
	if c.tracers == nil {
		c.tracers = otel.GetTracerProvider()
	}
	if c.meters == nil {
		c.meters = otel.GetMeterProvider()
	}
	return c, errors.Join(errs...)
}

// WithLoggerProvider sets where events go. The default is the global provider.
func WithLoggerProvider(p log.LoggerProvider) Option {
	return optionFunc(func(c config) (config, error) { c.loggers = p; return c, nil })
}

// WithTracerProvider sets the provider of the server span that
// [Auditor.Middleware] starts for a request that has none, so that the events of
// one request share a trace id. The default is the global provider.
func WithTracerProvider(p trace.TracerProvider) Option {
	return optionFunc(func(c config) (config, error) { c.tracers = p; return c, nil })
}

// WithMeterProvider sets where metrics go. The default is the global provider.
func WithMeterProvider(p metric.MeterProvider) Option {
	return optionFunc(func(c config) (config, error) { c.meters = p; return c, nil })
}

// minPseudonymKey is the security strength of a 128-bit pseudonym.
const minPseudonymKey = 16

// WithPseudonymKey replaces user.id by user.hash, "keyID:" and an HMAC-SHA-256
// (RFC 2104) under key, and keys the fingerprints of tokens and sessions too. Whoever holds the key can find a known user
// again; nobody else can try user ids out. keyID is public and tells which key was
// used; key has at least 16 bytes and is copied.
func WithPseudonymKey(keyID string, key Secret) Option {
	key = append(Secret(nil), key...)
	return optionFunc(func(c config) (config, error) {
		if keyID == "" || len(keyID) > 32 || !isPlain(keyID) {
			return c, errors.New("otelaudit: pseudonym key id must be 1 to 32 letters, digits, '-', '_' or '.'")
		}
		if len(key) < minPseudonymKey {
			return c, fmt.Errorf("otelaudit: pseudonym key has %d bytes, want at least %d", len(key), minPseudonymKey)
		}
		c.pseudonymKeyID, c.pseudonymKey = keyID, key
		return c, nil
	})
}

func isPlain(s string) bool {
	for i := range len(s) {
		b := s[i]
		switch {
		case 'a' <= b && b <= 'z', 'A' <= b && b <= 'Z', '0' <= b && b <= '9', b == '-', b == '_', b == '.':
		default:
			return false
		}
	}
	return true
}

// WithFailClosed makes an operation fail unless its event was acknowledged by a
// log processor (see [Receipt]): a token that was accepted is returned as invalid with [ErrNotDurable],
// [RequireToken] and [RequireScope] answer 503, SignedString returns no token. The
// default is to go on and count the loss. Access events come after the response, so
// they cannot fail it.
func WithFailClosed() Option {
	return optionFunc(func(c config) (config, error) { c.failClosed = true; return c, nil })
}

// WithSpanEvents tells whether each event is mirrored on the recording span, with
// those attributes that identify no person. The default is true.
func WithSpanEvents(on bool) Option {
	return optionFunc(func(c config) (config, error) { c.spanEvents = on; return c, nil })
}

// WithClaimedIdentity also records the subject and issuer that a token with an
// unverified signature claims, bounded and escaped, as
// otelaudit.token.claimed.*. They are never identity. The default is off.
func WithClaimedIdentity() Option {
	return optionFunc(func(c config) (config, error) { c.claimed = true; return c, nil })
}

// WithFilter emits only the events for which keep returns true. An event that is
// filtered is neither recorded nor counted as lost. keep must be safe for
// concurrent use, must not keep the event, and must not log its values.
func WithFilter(keep func(Event) bool) Option {
	return optionFunc(func(c config) (config, error) { c.filter = keep; return c, nil })
}

// WithErrorReason adds a function that finds the [Reason] of a keyfunc's error,
// for libraries whose errors have no ErrorType method. The functions are asked in order, after [ReasonOf].
// They must be safe for concurrent use.
func WithErrorReason(reason func(error) (Reason, bool)) Option {
	return optionFunc(func(c config) (config, error) {
		if reason == nil {
			return c, errors.New("otelaudit: nil error reason function")
		}
		c.classifiers = append(c.classifiers[:len(c.classifiers):len(c.classifiers)], reason)
		return c, nil
	})
}

// WithTrustedProxies takes client addresses from X-Forwarded-For when the
// connection comes from one of these networks: the rightmost address that is
// not a trusted proxy counts. Without it the header is ignored. The Forwarded header (RFC 7239) is never used,
// since a proxy that appends to the one header passes the other on as the client sent it.
func WithTrustedProxies(networks ...netip.Prefix) Option {
	return optionFunc(func(c config) (config, error) {
		for _, n := range networks {
			if !n.IsValid() {
				return c, errors.New("otelaudit: invalid trusted proxy network")
			}
		}
		c.proxies = append(c.proxies[:len(c.proxies):len(c.proxies)], networks...)
		return c, nil
	})
}

// WithClock sets the source of the time of events. It does not change what the
// parser thinks the time is: see jwt.WithTimeFunc. now must be safe for concurrent use.
func WithClock(now func() time.Time) Option {
	return optionFunc(func(c config) (config, error) {
		if now == nil {
			return c, errors.New("otelaudit: nil clock")
		}
		c.clock = now
		return c, nil
	})
}
