// Copyright The otelaudit Authors
// SPDX-License-Identifier: Apache-2.0

package audittest_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/golang-jwt/jwt/v5"

	"github.com/otelaudit/go/otelaudit"
	"github.com/otelaudit/go/otelaudit/audittest"
)

func TestParserConforms(t *testing.T) {
	audittest.Conformance(t, func(audit *otelaudit.Auditor, keyfunc jwt.Keyfunc) func(context.Context, string) bool {
		parser := audit.NewParser()
		return func(ctx context.Context, token string) bool {
			_, err := parser.Parse(ctx, token, keyfunc)
			return err == nil
		}
	})
}

func TestRequireTokenConforms(t *testing.T) {
	audittest.Conformance(t, func(audit *otelaudit.Auditor, keyfunc jwt.Keyfunc) func(context.Context, string) bool {
		h := audit.Middleware(audit.RequireToken(audit.NewParser(), keyfunc)(http.HandlerFunc(
			func(http.ResponseWriter, *http.Request) {})))
		return func(ctx context.Context, token string) bool {
			r := httptest.NewRequestWithContext(ctx, http.MethodGet, "/orders?access_token="+token, nil)
			r.Header.Set("Authorization", "Bearer "+token)
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			return w.Code == http.StatusOK
		}
	})
}
