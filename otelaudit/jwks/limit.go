// Copyright The otelaudit Authors
// SPDX-License-Identifier: Apache-2.0

package jwks

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
)

// ErrRedirect is in the chain of a [*FetchError] if the server redirected to another
// host or port, or from https to http.
var ErrRedirect = errors.New("jwks: redirect refused")

// maxRedirects is that of net/http.
const maxRedirects = 10

// guard returns a copy of client that bounds the response and follows no redirect away
// from the server.
func guard(client *http.Client, maxBytes int64) *http.Client {
	out := *client
	out.Transport = bounded{base: client.Transport, max: maxBytes}
	out.CheckRedirect = func(req *http.Request, via []*http.Request) error {
		if !sameServer(via[0].URL, req.URL) {
			return ErrRedirect
		}
		if client.CheckRedirect != nil {
			return client.CheckRedirect(req, via)
		}
		if len(via) >= maxRedirects {
			return errors.New("jwks: too many redirects")
		}
		return nil
	}
	return &out
}

// sameServer tells whether a redirect stays on the host and port, or goes from the
// default port of http to that of https.
func sameServer(from, to *url.URL) bool {
	if !strings.EqualFold(from.Hostname(), to.Hostname()) {
		return false
	}
	if from.Scheme == "http" && to.Scheme == "https" && port(from) == "80" && port(to) == "443" {
		return true
	}
	return from.Scheme == to.Scheme && port(from) == port(to)
}

func port(u *url.URL) string {
	switch p := u.Port(); {
	case p != "":
		return p
	case u.Scheme == "https":
		return "443"
	default:
		return "80"
	}
}

// bounded is a transport whose responses end with an [*http.MaxBytesError] beyond max
// bytes. The limit is on what is read, after decompression by net/http.
type bounded struct {
	base http.RoundTripper
	max  int64
}

// RoundTrip implements http.RoundTripper.
func (b bounded) RoundTrip(req *http.Request) (*http.Response, error) {
	base := b.base
	if base == nil {
		base = http.DefaultTransport
	}
	resp, err := base.RoundTrip(req)
	if err != nil || resp == nil {
		return resp, err
	}
	if f := fetchFrom(req.Context()); f != nil {
		f.status = resp.StatusCode
	}
	if resp.Body == nil {
		return resp, nil
	}
	if resp.ContentLength > b.max {
		_ = resp.Body.Close()
		return nil, &http.MaxBytesError{Limit: b.max}
	}
	resp.Body = http.MaxBytesReader(nil, resp.Body, b.max)
	return resp, nil
}
