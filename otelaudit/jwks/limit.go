// Copyright The otelaudit Authors
// SPDX-License-Identifier: Apache-2.0

package jwks

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
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

// bounded is a transport that fails with an [*http.MaxBytesError] if a response has
// more than max bytes, after decompression by net/http, and reads no further. It also
// refuses what is not a key set: to jwkset any JSON object without keys is an empty
// one, so that an error page would withdraw all keys.
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
	if resp.Body == nil || resp.StatusCode != http.StatusOK {
		return resp, nil // jwkset does not read it
	}
	body, err := b.read(resp)
	if err != nil {
		return nil, err
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	return resp, nil
}

// read returns the response's body, which has to be a JSON object with the member keys
// (RFC 7517, section 5.1).
func (b bounded) read(resp *http.Response) ([]byte, error) {
	defer func() { _ = resp.Body.Close() }()
	if resp.ContentLength > b.max {
		return nil, &http.MaxBytesError{Limit: b.max}
	}
	body, err := io.ReadAll(http.MaxBytesReader(nil, resp.Body, b.max))
	if err != nil {
		return nil, err
	}
	var set struct {
		Keys *json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(body, &set); err != nil {
		return nil, errors.Join(errNotKeySet, err)
	}
	if set.Keys == nil {
		return nil, errNotKeySet
	}
	return body, nil
}
