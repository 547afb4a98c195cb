// Copyright The otelaudit Authors
// SPDX-License-Identifier: Apache-2.0

package audittest

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/attribute"
)

// NoSecrets fails t if a record, span or metric of r holds one of secrets: raw,
// in base64, in hex, URL-encoded, or, of a JWT, its claims or signature alone.
func NoSecrets(t testing.TB, r *Recorder, secrets ...string) {
	t.Helper()
	for _, rec := range r.Records("") {
		NoSecretsIn(t, rec.Body().String(), secrets...)
		rec.WalkAttributes(func(kv attribute.KeyValue) bool {
			NoSecretsIn(t, string(kv.Key)+"="+kv.Value.String(), secrets...)
			return true
		})
	}
	for _, s := range r.Spans() {
		NoSecretsIn(t, fmt.Sprint(s.Name(), s.Status(), s.Attributes(), s.Events()), secrets...)
	}
	NoSecretsIn(t, fmt.Sprintf("%+v", r.Metrics().ScopeMetrics), secrets...)
}

// NoSecretsIn fails t if text, such as that of an error, holds one of secrets.
func NoSecretsIn(t testing.TB, text string, secrets ...string) {
	t.Helper()
	for i, secret := range secrets {
		for _, form := range forms(secret) {
			if strings.Contains(text, form) {
				t.Errorf("secret %d of %d leaked, as %d bytes", i+1, len(secrets), len(form))
			}
		}
	}
}

// minPart is the length from which a part of a token is a secret of its own.
const minPart = 16

func forms(secret string) []string {
	parts := []string{secret}
	if segments := strings.Split(secret, "."); len(segments) == 3 {
		for _, s := range segments[1:] {
			if len(s) >= minPart {
				parts = append(parts, s)
			}
		}
	}
	var out []string
	for _, p := range parts {
		if p == "" {
			continue
		}
		b := []byte(p)
		out = append(out, p, url.QueryEscape(p), hex.EncodeToString(b),
			base64.RawStdEncoding.EncodeToString(b), base64.RawURLEncoding.EncodeToString(b))
	}
	return out
}
