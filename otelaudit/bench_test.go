// Copyright The otelaudit Authors
// SPDX-License-Identifier: Apache-2.0

package otelaudit_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"io"
	"log/slog"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/log"
	sdklog "go.opentelemetry.io/otel/sdk/log"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"

	"github.com/otelaudit/go/otelaudit"
)

type discard struct{}

func (discard) Enabled(context.Context, sdklog.EnabledParameters) bool { return true }
func (discard) OnEmit(context.Context, *sdklog.Record) error           { return nil }
func (discard) Export(context.Context, []sdklog.Record) error          { return nil }
func (discard) Shutdown(context.Context) error                         { return nil }
func (discard) ForceFlush(context.Context) error                       { return nil }

func benchAuditor(b *testing.B, p sdklog.Processor, opts ...otelaudit.Option) *otelaudit.Auditor {
	b.Helper()
	provider := sdklog.NewLoggerProvider(sdklog.WithProcessor(p), sdklog.WithAllowKeyDuplication())
	b.Cleanup(func() { _ = provider.Shutdown(context.Background()) })
	a, err := otelaudit.New(append(opts, otelaudit.WithLoggerProvider(provider))...)
	if err != nil {
		b.Fatal(err)
	}
	return a
}

func BenchmarkParse(b *testing.B) {
	ec, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	rs, _ := rsa.GenerateKey(rand.Reader, 2048)
	edPub, ed, _ := ed25519.GenerateKey(rand.Reader)
	hs := make([]byte, 32)
	for _, alg := range []struct {
		method       jwt.SigningMethod
		sign, verify any
	}{
		{jwt.SigningMethodHS256, hs, hs},
		{jwt.SigningMethodES256, ec, &ec.PublicKey},
		{jwt.SigningMethodRS256, rs, &rs.PublicKey},
		{jwt.SigningMethodEdDSA, ed, edPub},
	} {
		token := jwt.NewWithClaims(alg.method, jwt.RegisteredClaims{
			Issuer: "https://id.example", Subject: "alice", Audience: jwt.ClaimStrings{"orders"}, ID: "0192-77",
			IssuedAt: jwt.NewNumericDate(time.Now()), ExpiresAt: jwt.NewNumericDate(time.Now().Add(time.Hour)),
		})
		token.Header["kid"] = "key-1"
		raw, err := token.SignedString(alg.sign)
		if err != nil {
			b.Fatal(err)
		}
		keyfunc := func(*jwt.Token) (any, error) { return alg.verify, nil }
		opts := []jwt.ParserOption{jwt.WithIssuer("https://id.example"), jwt.WithAudience("orders")}
		b.Run(alg.method.Alg()+"/bare", func(b *testing.B) {
			p := jwt.NewParser(opts...)
			b.ReportAllocs()
			for b.Loop() {
				var claims jwt.RegisteredClaims
				if _, err := p.ParseWithClaims(raw, &claims, keyfunc); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(alg.method.Alg()+"/audited", func(b *testing.B) {
			p := benchAuditor(b, discard{}).NewParser(opts...)
			ctx := context.Background()
			b.ReportAllocs()
			for b.Loop() {
				var claims jwt.RegisteredClaims
				if _, err := p.ParseWithClaims(ctx, raw, &claims, keyfunc); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkEmit compares one event with the line that slog writes for the same
// attributes, and with the stock batch pipeline.
func BenchmarkEmit(b *testing.B) {
	ctx := context.Background()
	event := otelaudit.Event{
		Name: otelaudit.EventTokenValidation, Outcome: otelaudit.OutcomeSuccess,
		Subject: otelaudit.Subject{ID: "alice"},
		Token: &otelaudit.TokenInfo{
			Fingerprint: "0123456789abcdef0123456789abcdef", Algorithm: "ES256", KeyID: "key-1",
			Issuer: "https://id.example", Audience: []string{"orders"}, ID: "0192-77",
			ExpiresAt: time.Unix(1e9, 0), SignatureVerified: true,
		},
	}
	emit := func(b *testing.B, a *otelaudit.Auditor) {
		b.ReportAllocs()
		for b.Loop() {
			if err := a.Emit(ctx, event); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.Run("otelaudit", func(b *testing.B) { emit(b, benchAuditor(b, discard{})) })
	b.Run("otelaudit-batch", func(b *testing.B) { emit(b, benchAuditor(b, sdklog.NewBatchProcessor(discard{}))) })
	b.Run("otelaudit-metric-sdk", func(b *testing.B) {
		meters := sdkmetric.NewMeterProvider(sdkmetric.WithReader(sdkmetric.NewManualReader()))
		b.Cleanup(func() { _ = meters.Shutdown(context.Background()) })
		emit(b, benchAuditor(b, discard{}, otelaudit.WithMeterProvider(meters)))
	})
	// What a host would write by hand for the same attributes, on the same pipeline.
	b.Run("stock-batch", func(b *testing.B) {
		provider := sdklog.NewLoggerProvider(sdklog.WithProcessor(sdklog.NewBatchProcessor(discard{})), sdklog.WithAllowKeyDuplication())
		b.Cleanup(func() { _ = provider.Shutdown(context.Background()) })
		logger := provider.Logger("bench")
		b.ReportAllocs()
		for b.Loop() {
			var rec log.Record
			rec.SetEventName("otelaudit.token.validation")
			rec.SetTimestamp(time.Now())
			rec.SetSeverity(log.SeverityInfo)
			rec.SetBody(attribute.StringValue("token.validation success by alice"))
			rec.AddAttributes(
				attribute.String("log.record.uid", "019b0000-0000-7000-8000-000000000000"),
				attribute.String("otelaudit.outcome", "success"), attribute.String("otelaudit.actor.type", "user"),
				attribute.String("user.id", "alice"), attribute.String("otelaudit.token.fingerprint", event.Token.Fingerprint),
				attribute.String("otelaudit.token.algorithm", "ES256"), attribute.String("otelaudit.token.key_id", "key-1"),
				attribute.String("otelaudit.token.issuer", "https://id.example"), attribute.StringSlice("otelaudit.token.audience", event.Token.Audience),
				attribute.String("otelaudit.token.id", "0192-77"), attribute.Int64("otelaudit.token.expires_at", 1e9))
			logger.Emit(ctx, rec)
		}
	})
	b.Run("slog", func(b *testing.B) {
		l := slog.New(slog.NewJSONHandler(io.Discard, nil))
		b.ReportAllocs()
		for b.Loop() {
			l.LogAttrs(ctx, slog.LevelInfo, "otelaudit.token.validation",
				slog.String("log.record.uid", "019b0000-0000-7000-8000-000000000000"),
				slog.String("otelaudit.outcome", "success"), slog.String("otelaudit.actor.type", "user"),
				slog.String("user.id", "alice"), slog.String("otelaudit.token.fingerprint", event.Token.Fingerprint),
				slog.String("otelaudit.token.algorithm", "ES256"), slog.String("otelaudit.token.key_id", "key-1"),
				slog.String("otelaudit.token.issuer", "https://id.example"), slog.Any("otelaudit.token.audience", event.Token.Audience),
				slog.String("otelaudit.token.id", "0192-77"), slog.Int64("otelaudit.token.expires_at", 1e9))
		}
	})
}
