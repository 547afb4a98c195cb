// Copyright The otelaudit Authors
// SPDX-License-Identifier: Apache-2.0

package auditsdk

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/sdk/resource"
)

// Option configures [Start]. An option outweighs the environment.
type Option interface{ apply(*config) error }

type optionFunc func(*config) error

func (f optionFunc) apply(c *config) error { return f(c) }

type config struct {
	environment
	resource  *resource.Resource
	meters    metric.MeterProvider
	transport http.RoundTripper
	local     bool // leave the global provider alone
	onError   func(error)
}

func newConfig(ctx context.Context, opts []Option) (*config, error) {
	env, err := readEnvironment()
	errs := []error{err}
	c := &config{environment: env}
	for _, o := range opts {
		if o != nil {
			errs = append(errs, o.apply(c))
		}
	}
	if c.endpoint == nil && errors.Join(errs...) == nil {
		errs = append(errs, ErrNoEndpoint)
	}
	if c.resource == nil {
		// Detectors that find only a part say so by an error beside the resource.
		c.resource, err = resource.New(ctx, resource.WithFromEnv(), resource.WithTelemetrySDK(), resource.WithProcessPID(), resource.WithHost())
		if c.resource == nil {
			errs = append(errs, err)
		}
	}
	if c.meters == nil {
		c.meters = otel.GetMeterProvider()
	}
	if c.onError == nil {
		c.onError = otel.Handle
	}
	if c.transport == nil {
		base, ok := http.DefaultTransport.(*http.Transport)
		if !ok {
			base = &http.Transport{Proxy: http.ProxyFromEnvironment}
		}
		base = base.Clone()
		base.TLSClientConfig = c.tls
		c.transport = base
	}
	return c, errors.Join(errs...)
}

// ErrNoEndpoint says that nobody told where the events go. An audit pipeline without an end is
// an error, not a default.
var ErrNoEndpoint = errors.New("auditsdk: no endpoint: set OTEL_EXPORTER_OTLP_ENDPOINT or use WithEndpoint")

// WithEndpoint sets the URL that receives OTLP/HTTP, such as http://collector:4318; /v1/logs is
// appended if it has no path.
func WithEndpoint(text string) Option {
	return optionFunc(func(c *config) (err error) {
		c.endpoint, err = parseEndpoint(text, true)
		return err
	})
}

func parseEndpoint(text string, base bool) (*url.URL, error) {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, errors.New("auditsdk: the endpoint is no http or https URL") // it may hold a password
	}
	if base && strings.Trim(u.Path, "/") == "" {
		u.Path = "/v1/logs"
	}
	return u, nil
}

// WithHeaders adds headers to each request. Their values appear in no log.
func WithHeaders(headers map[string]string) Option {
	return optionFunc(func(c *config) error {
		for k, v := range headers {
			c.headers[k] = v
		}
		return nil
	})
}

// WithTimeout sets how long one attempt takes at most.
func WithTimeout(d time.Duration) Option {
	return optionFunc(func(c *config) error { return positive(&c.timeout, d, "timeout") })
}

// WithTransport sends requests through base, with its TLS and proxy settings instead of those of
// the environment.
func WithTransport(base http.RoundTripper) Option {
	return optionFunc(func(c *config) error { c.transport = base; return nil })
}

// WithResource sets who emits the records. The default is read from OTEL_SERVICE_NAME,
// OTEL_RESOURCE_ATTRIBUTES, the host and the process.
func WithResource(r *resource.Resource) Option {
	return optionFunc(func(c *config) error { c.resource = r; return nil })
}

// WithMeterProvider sets where the metrics of the pipeline go. The default is the global provider.
func WithMeterProvider(p metric.MeterProvider) Option {
	return optionFunc(func(c *config) error { c.meters = p; return nil })
}

// WithErrorHandler is told of failures to deliver, each kind once until it succeeds again. The default is
// otel.Handle. It must be safe for concurrent use.
func WithErrorHandler(handle func(error)) Option {
	return optionFunc(func(c *config) error { c.onError = handle; return nil })
}

// WithoutGlobal leaves the global LoggerProvider alone: see [Pipeline.LoggerProvider].
func WithoutGlobal() Option {
	return optionFunc(func(c *config) error { c.local = true; return nil })
}

// WithQueue bounds what waits for delivery in memory, in records and bytes.
func WithQueue(records, bytes int) Option {
	return optionFunc(func(c *config) error {
		if records <= 0 || bytes <= 0 {
			return fmt.Errorf("auditsdk: a queue of %d records and %d bytes holds nothing", records, bytes)
		}
		c.maxRecords, c.maxBytes = records, bytes
		return nil
	})
}

// WithBlockTimeout sets how long an emit waits for room in a full queue. After one wait in vain the
// next emits do not wait until there is room again.
func WithBlockTimeout(d time.Duration) Option {
	return optionFunc(func(c *config) error { return positive(&c.block, d, "block timeout") })
}

// WithCloseTimeout sets how long [Pipeline.Close] tries to deliver what is left.
func WithCloseTimeout(d time.Duration) Option {
	return optionFunc(func(c *config) error { return positive(&c.closing, d, "close timeout") })
}

// WithHeartbeat sets how often an otelaudit.pipeline event tells that the pipeline works; 0 is never.
func WithHeartbeat(d time.Duration) Option {
	return optionFunc(func(c *config) error {
		if d < 0 {
			return errors.New("auditsdk: negative heartbeat")
		}
		c.heartbeat = d
		return nil
	})
}

func positive(dst *time.Duration, d time.Duration, what string) error {
	if d <= 0 {
		return fmt.Errorf("auditsdk: the %s must be positive", what)
	}
	*dst = d
	return nil
}
