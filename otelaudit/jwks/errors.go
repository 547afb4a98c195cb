// Copyright The otelaudit Authors
// SPDX-License-Identifier: Apache-2.0

package jwks

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"

	"github.com/MicahParks/jwkset"
	"github.com/MicahParks/keyfunc/v3"

	"github.com/otelaudit/go/otelaudit"
)

// keyError is why there is no key for a token. Its text is fixed, or says why a fetch
// failed; an attacker can put nothing into it.
type keyError struct {
	reason otelaudit.Reason
	text   string
	chain  []error
}

func (e *keyError) Error() string     { return "jwks: " + e.text }
func (e *keyError) ErrorType() string { return string(e.reason) }
func (e *keyError) Unwrap() []error   { return e.chain }

// with returns a copy of e with causes in its chain.
func (e *keyError) with(causes ...error) *keyError {
	out := *e
	out.chain = append(append([]error(nil), e.chain...), causes...)
	return &out
}

func newKeyError(reason otelaudit.Reason, text string, causes ...error) *keyError {
	return (&keyError{reason: reason, text: text, chain: []error{reason, keyfunc.ErrKeyfunc}}).with(causes...)
}

var (
	errNoToken      = newKeyError(otelaudit.ReasonConfigError, "nil token")
	errAlgMissing   = newKeyError(otelaudit.ReasonAlgMissing, "the token names no algorithm")
	errKidNotString = newKeyError(otelaudit.ReasonKidNotString, "the key id is not a string")
	errKeyUse       = newKeyError(otelaudit.ReasonKeyUseInvalid, "the key is not for verifying signatures")
	errAlgMismatch  = newKeyError(otelaudit.ReasonAlgJWKMismatch, "the key is not for the algorithm of the token")
	errNoKeys       = newKeyError(otelaudit.ReasonJWKSUnavailable, "the key set is empty", jwkset.ErrKeyNotFound)
	errEnded        = newKeyError(otelaudit.ReasonJWKSUnavailable, "the refreshes have ended", jwkset.ErrKeyNotFound)
	errKidUnknown   = newKeyError(otelaudit.ReasonKidUnknown, "no key has the key id", jwkset.ErrKeyNotFound)
	errLimited      = newKeyError(otelaudit.ReasonKidUnknownRateLimited,
		"no key has the key id, and the keys were refreshed a moment ago", jwkset.ErrKeyNotFound)
	errLate = newKeyError(otelaudit.ReasonKidUnknownRateLimited,
		"no key has the key id, and a refresh was not waited for any longer", jwkset.ErrKeyNotFound)
)

var (
	errPanic     = errors.New("jwks: the fetch panicked")
	errNotKeySet = errors.New("jwks: not a key set")
)

func unavailable(fault *FetchError) error {
	return newKeyError(otelaudit.ReasonJWKSUnavailable, fault.text(), jwkset.ErrKeyNotFound, fault)
}

// FetchError is why a key set could not be fetched. [otelaudit.ReasonJWKSUnavailable]
// and the cause are in its chain: ErrRedirect, an *http.MaxBytesError,
// context.DeadlineExceeded, jwkset.ErrInvalidHTTPStatusCode, or what net/http or
// encoding/json said. Its text holds no more of the URL than the host.
type FetchError struct {
	// Server is the host of the URL.
	Server string
	// Status is the HTTP status code of the last response, 0 if there was none.
	Status int

	cause error
}

func newFetchError(server string, f *fetch) *FetchError {
	cause := f.err
	if cause == nil {
		cause = errors.New("jwks: nothing was fetched")
	}
	var withURL *url.Error
	if errors.As(cause, &withURL) {
		cause = withURL.Err
	}
	return &FetchError{Server: server, Status: f.status, cause: cause}
}

// Error implements error.
func (e *FetchError) Error() string { return "jwks: " + e.text() }

// ErrorType returns the code of [otelaudit.ReasonJWKSUnavailable].
func (e *FetchError) ErrorType() string { return string(otelaudit.ReasonJWKSUnavailable) }

// Unwrap returns the reason and the cause.
func (e *FetchError) Unwrap() []error { return []error{otelaudit.ReasonJWKSUnavailable, e.cause} }

func (e *FetchError) text() string {
	return fmt.Sprintf("the keys of %s could not be fetched: %s", e.Server, e.problem())
}

// problem is what went wrong, in words that hold nothing of the request or response.
func (e *FetchError) problem() string {
	var (
		size    *http.MaxBytesError
		name    *net.DNSError
		cert    *tls.CertificateVerificationError
		connect *net.OpError
	)
	switch {
	case errors.Is(e.cause, ErrRedirect):
		return "redirect refused"
	case errors.As(e.cause, &size):
		return fmt.Sprintf("the response has more than %d bytes", size.Limit)
	case errors.Is(e.cause, context.DeadlineExceeded):
		return "no complete response in time"
	case errors.Is(e.cause, context.Canceled):
		return "canceled"
	case errors.Is(e.cause, errPanic):
		return "the client panicked"
	case errors.As(e.cause, &name):
		return "the host is not found"
	case errors.As(e.cause, &cert):
		return "the certificate is not trusted"
	case errors.Is(e.cause, io.ErrUnexpectedEOF):
		return "the response ended early"
	case errors.As(e.cause, &connect):
		return "no connection"
	case e.Status == http.StatusOK:
		return "the response is not a key set"
	case e.Status != 0:
		return fmt.Sprintf("status %d", e.Status)
	default:
		return "no response"
	}
}
