// Copyright The otelaudit Authors
// SPDX-License-Identifier: Apache-2.0

package auditsdk

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"
	"time"

	collogspb "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	"google.golang.org/protobuf/proto"
)

// judgement is what becomes of a request.
type judgement int

const (
	// again: the receiver may take it later.
	again judgement = iota
	// taken: the receiver took it, but for the records it says it rejected.
	taken
	// poison: the receiver will never take this request; a part of it may pass.
	poison
)

// verdict is the answer to one request.
type verdict struct {
	judgement judgement
	// rejected are the records that a partial success leaves out.
	rejected int64
	// attempted tells that something was sent.
	attempted bool
	// wait is the least time before the next attempt, by Retry-After.
	wait time.Duration
	// err tells why the request was not taken as it is. It holds no part of the request.
	err error
}

type verdictKey struct{}

// withVerdict returns a context in which transport writes the verdict of the last attempt.
func withVerdict(ctx context.Context) (context.Context, *verdict) {
	v := &verdict{err: errNoAnswer}
	return context.WithValue(ctx, verdictKey{}, v), v
}

var errNoAnswer = errors.New("auditsdk: no answer")

// statusError is an answer other than success.
type statusError struct {
	status int
	text   string
}

func (e *statusError) Error() string {
	s := "auditsdk: the receiver answered " + strconv.Itoa(e.status)
	if e.text != "" {
		s += ": " + e.text
	}
	return s
}

// maxReply bounds how much of an answer is read, in bytes.
const maxReply = 64 << 10

// transport judges the answers to what is sent through it.
type transport struct{ base http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (t transport) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := t.base.RoundTrip(req)
	v, ok := req.Context().Value(verdictKey{}).(*verdict)
	if !ok {
		return resp, err
	}
	if err != nil {
		*v = verdict{attempted: true, err: err}
		return nil, err
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxReply))
	_ = resp.Body.Close()
	if err != nil && resp.StatusCode/100 != 2 {
		body = nil
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	*v = judge(resp, body)
	v.attempted = true
	return resp, nil
}

// judge reads the answer by the OTLP specification (OTLP/HTTP, "OTLP/HTTP Response"), but
// keeps what a receiver refuses for reasons other than its contents: a wrong password or path is mended
// without losing anything.
func judge(resp *http.Response, body []byte) verdict {
	status := resp.StatusCode
	if status/100 == 2 {
		var reply collogspb.ExportLogsServiceResponse
		if proto.Unmarshal(body, &reply) != nil {
			return verdict{judgement: taken} // some receivers answer text
		}
		partial := reply.GetPartialSuccess()
		v := verdict{judgement: taken, rejected: max(partial.GetRejectedLogRecords(), 0)}
		if v.rejected > 0 {
			v.err = &statusError{status, printable(partial.GetErrorMessage())}
		}
		return v
	}
	v := verdict{err: &statusError{status: status}, wait: retryAfter(resp.Header.Get("Retry-After"), time.Now())}
	switch status {
	case http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusUnprocessableEntity:
		v.judgement = poison
	}
	return v
}

// maxRetryAfter bounds what a receiver may ask for.
const maxRetryAfter = 5 * time.Minute

// retryAfter reads seconds or a date (RFC 9110, section 10.2.3).
func retryAfter(text string, now time.Time) time.Duration {
	var d time.Duration
	if n, err := strconv.Atoi(text); err == nil {
		d = time.Duration(min(max(n, 0), int(maxRetryAfter/time.Second))) * time.Second
	} else if at, err := http.ParseTime(text); err == nil {
		d = at.Sub(now)
	}
	return min(max(d, 0), maxRetryAfter)
}

// maxText bounds what is told of an answer, in bytes.
const maxText = 200

// printable is text of the receiver, fit for a log.
func printable(text string) string {
	if len(text) > maxText {
		text = text[:maxText]
	}
	return strconv.QuoteToASCII(text)
}
