// Copyright The otelaudit Authors
// SPDX-License-Identifier: Apache-2.0

package auditsdk

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"
)

// environment is what the variables say. This file is the only one that reads them:
//
//	OTEL_EXPORTER_OTLP_LOGS_ENDPOINT, _ENDPOINT              where events go; /v1/logs is appended to the second
//	OTEL_EXPORTER_OTLP_[LOGS_]HEADERS                        key=value,… with URL-encoded values
//	OTEL_EXPORTER_OTLP_[LOGS_]COMPRESSION                    gzip (the default here) or none
//	OTEL_EXPORTER_OTLP_[LOGS_]TIMEOUT                        of one attempt, in milliseconds
//	OTEL_EXPORTER_OTLP_[LOGS_]CERTIFICATE, CLIENT_CERTIFICATE, CLIENT_KEY   PEM files
//	OTEL_BLRP_MAX_QUEUE_SIZE, _SCHEDULE_DELAY, _MAX_EXPORT_BATCH_SIZE       records, milliseconds, records
//	OTELAUDIT_QUEUE_BYTES                                    bound of the queue in bytes
//	OTELAUDIT_BLOCK_TIMEOUT                                  how long an emit waits for room, in milliseconds
//	OTELAUDIT_CLOSE_TIMEOUT                                  how long Close tries to deliver what is left, in milliseconds
//	OTELAUDIT_HEARTBEAT                                      in milliseconds; 0 is never
type environment struct {
	endpoint   *url.URL
	headers    map[string]string
	gzip       bool
	timeout    time.Duration
	tls        *tls.Config
	maxRecords int
	maxBytes   int
	delay      time.Duration
	batch      int
	block      time.Duration
	closing    time.Duration
	heartbeat  time.Duration
}

func readEnvironment() (environment, error) {
	r := envReader{}
	e := environment{headers: map[string]string{}}
	if text := os.Getenv("OTEL_EXPORTER_OTLP_LOGS_ENDPOINT"); text != "" {
		e.endpoint = r.endpoint("OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", text)
	} else if text := os.Getenv("OTEL_EXPORTER_OTLP_ENDPOINT"); text != "" {
		if e.endpoint = r.endpoint("OTEL_EXPORTER_OTLP_ENDPOINT", text); e.endpoint != nil {
			e.endpoint = e.endpoint.JoinPath("v1", "logs")
		}
	}
	r.headers(e.headers)
	switch _, text := r.otlp("COMPRESSION"); text {
	case "", "gzip":
		e.gzip = true
	case "none":
	default:
		r.fail("OTEL_EXPORTER_OTLP_COMPRESSION", "is neither gzip nor none")
	}
	name, _ := r.otlp("TIMEOUT")
	e.timeout = r.milliseconds(name, 10*time.Second, 1)
	e.tls = r.tls()
	e.maxRecords = r.number("OTEL_BLRP_MAX_QUEUE_SIZE", 1<<16)
	e.batch = r.number("OTEL_BLRP_MAX_EXPORT_BATCH_SIZE", 512)
	e.delay = r.milliseconds("OTEL_BLRP_SCHEDULE_DELAY", time.Second, 1)
	e.maxBytes = r.number("OTELAUDIT_QUEUE_BYTES", 64<<20)
	e.block = r.milliseconds("OTELAUDIT_BLOCK_TIMEOUT", time.Second, 1)
	e.closing = r.milliseconds("OTELAUDIT_CLOSE_TIMEOUT", 15*time.Second, 1)
	e.heartbeat = r.milliseconds("OTELAUDIT_HEARTBEAT", time.Minute, 0)
	return e, errors.Join(r.errs...)
}

// envReader collects what is wrong. Errors name the variable and never its value.
type envReader struct{ errs []error }

func (r *envReader) fail(name, problem string) {
	r.errs = append(r.errs, fmt.Errorf("auditsdk: %s %s", name, problem))
}

// otlp finds the variable of the signal, else that of all signals.
func (*envReader) otlp(what string) (name, value string) {
	name = "OTEL_EXPORTER_OTLP_LOGS_" + what
	if value = os.Getenv(name); value == "" {
		name = "OTEL_EXPORTER_OTLP_" + what
		value = os.Getenv(name)
	}
	return name, strings.TrimSpace(value)
}

func (r *envReader) endpoint(name, text string) *url.URL {
	u, err := parseEndpoint(text, false)
	if err != nil {
		r.fail(name, "is no http or https URL")
	}
	return u
}

// headers reads the W3C Baggage form that the specification of the exporter prescribes.
func (r *envReader) headers(out map[string]string) {
	name, text := r.otlp("HEADERS")
	if text == "" {
		return
	}
	for _, pair := range strings.Split(text, ",") {
		k, v, ok := strings.Cut(pair, "=")
		k = strings.TrimSpace(k)
		v, err := url.PathUnescape(strings.TrimSpace(v))
		if !ok || k == "" || err != nil || strings.ContainsAny(k+v, "\r\n") {
			r.fail(name, "is not key=value,… with URL-encoded values")
			return
		}
		out[k] = v
	}
}

func (r *envReader) number(name string, otherwise int) int {
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(strings.TrimSpace(text))
	if err != nil || n <= 0 {
		r.fail(name, "is no positive number")
		return otherwise
	}
	return n
}

func (r *envReader) milliseconds(name string, otherwise time.Duration, least int) time.Duration {
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(strings.TrimSpace(text))
	if err != nil || n < least || n > int(24*time.Hour/time.Millisecond) {
		r.fail(name, "is no number of milliseconds up to a day")
		return otherwise
	}
	return time.Duration(n) * time.Millisecond
}

func (r *envReader) tls() *tls.Config {
	ca, caFile := r.otlp("CERTIFICATE")
	cert, certFile := r.otlp("CLIENT_CERTIFICATE")
	key, keyFile := r.otlp("CLIENT_KEY")
	if caFile == "" && certFile == "" && keyFile == "" {
		return nil
	}
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	if caFile != "" {
		text, err := os.ReadFile(caFile)
		c.RootCAs = x509.NewCertPool()
		if err != nil || !c.RootCAs.AppendCertsFromPEM(text) {
			r.fail(ca, "names no readable file of PEM certificates")
		}
	}
	switch {
	case certFile == "" && keyFile == "":
	case certFile == "" || keyFile == "":
		r.fail(cert, "and "+key+" need each other")
	default:
		pair, err := tls.LoadX509KeyPair(certFile, keyFile)
		if err != nil {
			r.fail(cert, "and "+key+" name no matching pair of PEM files")
		}
		c.Certificates = []tls.Certificate{pair}
	}
	return c
}
