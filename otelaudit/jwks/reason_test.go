// Copyright The otelaudit Authors
// SPDX-License-Identifier: Apache-2.0

package jwks_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"testing"

	"github.com/MicahParks/jwkset"
	"github.com/MicahParks/keyfunc/v3"
	"github.com/golang-jwt/jwt/v5"

	"github.com/otelaudit/go/otelaudit"
	"github.com/otelaudit/go/otelaudit/audittest"
	"github.com/otelaudit/go/otelaudit/jwks"
)

func TestUnknownKeyID(t *testing.T) {
	keys, err := keyfunc.NewJWKSetJSON(json.RawMessage(`{"keys":[]}`))
	if err != nil {
		t.Fatal(err)
	}
	token := jwt.New(jwt.SigningMethodHS256)
	token.Header["kid"] = "nobody"
	raw, err := token.SignedString([]byte("a key of thirty-two bytes, or so"))
	if err != nil {
		t.Fatal(err)
	}
	r := audittest.NewRecorder(t)
	a := r.Auditor(otelaudit.WithErrorReason(jwks.Reason))
	if _, err := a.NewParser().Parse(context.Background(), raw, keys.Keyfunc); err == nil {
		t.Fatal("Parse() = nil, want an error")
	}
	attrs := audittest.Attrs(r.Records(otelaudit.EventTokenValidation)[0])
	if got := attrs["error.type"].AsString(); got != string(otelaudit.ReasonKidUnknown) {
		t.Errorf("error.type = %q, want %q", got, otelaudit.ReasonKidUnknown)
	}
	audittest.NoSecrets(t, r, raw)
}

func TestReason(t *testing.T) {
	if got, ok := jwks.Reason(context.DeadlineExceeded); got != otelaudit.ReasonJWKSUnavailable || !ok {
		t.Errorf("Reason(deadline) = %q, %v, want %q", got, ok, otelaudit.ReasonJWKSUnavailable)
	}
	late := errors.Join(context.DeadlineExceeded, jwkset.ErrKeyNotFound)
	if got, ok := jwks.Reason(late); got != otelaudit.ReasonKidUnknown || !ok {
		t.Errorf("Reason(not found, deadline) = %q, %v, want %q", got, ok, otelaudit.ReasonKidUnknown)
	}
	named := fmt.Errorf("%w: %w", jwkset.ErrKeyNotFound, otelaudit.ReasonKidUnknownRateLimited)
	if got, ok := jwks.Reason(named); got != otelaudit.ReasonKidUnknownRateLimited || !ok {
		t.Errorf("Reason(named) = %q, %v, want %q", got, ok, otelaudit.ReasonKidUnknownRateLimited)
	}
	if got, ok := jwks.Reason(errors.New("other")); ok {
		t.Errorf("Reason(other) = %q, want none", got)
	}
}
